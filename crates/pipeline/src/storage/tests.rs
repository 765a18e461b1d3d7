use super::*;

#[test]
fn each_component_has_a_folder_of_its_own() {
    let storage = Storage {
        directory: "/data".into(),
        is_synced: true,
        folder_permissions: 0o700,
        lock_timeout: Duration::ZERO,
        is_recreated: false,
        bytes_max: 1 << 30,
    };
    let folder = |id: &str| {
        let id: ComponentId = id.parse().unwrap();
        storage.folder_of("exporter", &id, "queue").display().to_string()
    };
    assert_eq!(folder("otlp_grpc"), "/data/exporter-otlp_grpc-queue");
    assert_eq!(folder("otlp_grpc/a-b"), "/data/exporter-otlp_grpc%2fa%2db-queue");
    assert_ne!(folder("otlp_grpc/a-b"), folder("otlp_grpc/a_b"));
}
