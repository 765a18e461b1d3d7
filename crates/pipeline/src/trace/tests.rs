use runtime::channel::{self, Ends, Receiver};

use super::*;

const ENDS: Ends = Ends { from: "test", to: "test" };

struct Bench {
    tracer: Tracer,
    records: Receiver<Recorded>,
    dropped: Counter,
    share: Budget,
}

fn bench(root_ratio: f64, capacity: usize, bytes_max: usize) -> Bench {
    let (sender, records) = channel::bounded(ENDS, capacity);
    let dropped = Counter::default();
    let share = Budget::root("spans", bytes_max);
    let tracer = Tracer::new(root_ratio, share.clone(), sender, dropped.clone());
    Bench { tracer, records, dropped, share }
}

impl Bench {
    fn records(&mut self) -> Vec<Record> {
        std::iter::from_fn(|| self.records.try_recv()).map(|recorded| recorded.record).collect()
    }

    fn start(&self, parent: Option<SpanContext>) -> Span {
        self.tracer.start(&"work".into(), SpanKind::Internal, parent)
    }
}

fn context(number: u8, flags: u8) -> SpanContext {
    SpanContext { trace_id: [number; 16], span_id: [number; 8], flags }
}

#[tokio::test]
async fn a_span_is_recorded_below_its_parent_when_it_is_dropped() {
    let mut bench = bench(0.0, 10, 1 << 20);
    let mut span = bench.start(Some(context(7, 1)));
    span.set("items", 3);
    span.event("halfway", vec![("n", 1.into())]);
    span.fail("no");
    let own = span.context().unwrap();
    assert_eq!((own.trace_id, own.flags), ([7; 16], 1));
    assert_ne!(own.span_id, [7; 8]);
    assert_eq!(bench.records(), []);
    drop(span);
    let [record] = bench.records().try_into().unwrap();
    assert_eq!((record.context, record.parent), (own, Some([7; 8])));
    assert_eq!(record.attributes, [("items", 3.into())]);
    assert_eq!(record.events[0].name, "halfway");
    assert_eq!(record.failure.as_deref(), Some("no"));
    assert!(record.start <= record.end);
}

#[tokio::test]
async fn an_unsampled_parent_is_passed_on_and_nothing_is_recorded() {
    let mut bench = bench(1.0, 10, 1 << 20);
    let mut span = bench.start(Some(context(7, 0)));
    span.set("items", 3);
    assert!(!span.is_recording());
    assert_eq!(span.context(), Some(context(7, 0)));
    drop(span);
    assert_eq!(bench.records(), []);
    assert_eq!((bench.dropped.value(), bench.share.bytes_used()), (0, 0));
}

#[tokio::test]
async fn a_request_without_a_trace_is_decided_about_once() {
    let mut never = bench(0.0, 10, 1 << 20);
    let first = never.start(None);
    let below = never.start(first.context());
    assert!(!first.context().unwrap().is_sampled());
    assert_eq!(below.context(), first.context());
    drop((first, below));
    assert_eq!(never.records(), []);

    let mut always = bench(1.0, 10, 1 << 20);
    drop(always.start(None));
    assert_eq!(always.records()[0].parent, None);
}

#[tokio::test]
async fn without_a_tracer_the_clients_context_passes_through() {
    for parent in [None, Some(context(7, 1)), Some(context(7, 0))] {
        let span = Tracer::default().start(&"work".into(), SpanKind::Internal, parent);
        assert_eq!((span.context(), span.is_recording()), (parent, false));
    }
    let one = [Some(context(7, 1))];
    let span = Tracer::default().start_for(&"work".into(), SpanKind::Internal, &one);
    assert_eq!((span.context(), span.is_recording()), (one[0], false));
}

#[track_caller]
fn check_merged(contributors: &[Option<SpanContext>], parent: Option<u8>, links: &[u8]) {
    let mut bench = bench(0.0, 10, 1 << 20);
    let span = bench.tracer.start_for(&"work".into(), SpanKind::Client, contributors);
    assert_eq!(span.is_recording(), !links.is_empty());
    drop(span);
    for record in bench.records() {
        assert_eq!(record.parent, parent.map(|number| [number; 8]));
        let linked: Vec<u8> = record.links.iter().map(|link| link.span_id[0]).collect();
        assert_eq!(linked, links);
    }
}

#[tokio::test]
async fn merged_work_is_linked_to_those_that_are_recorded() {
    let [one, two, silent] = [Some(context(1, 1)), Some(context(2, 1)), Some(context(3, 0))];
    check_merged(&[one], Some(1), &[1]);
    check_merged(&[one, two], None, &[1, 2]);
    check_merged(&[silent, two, None], None, &[2]);
    check_merged(&[silent], None, &[]);
    check_merged(&[silent, None], None, &[]);
    check_merged(&[], None, &[]);
}

#[tokio::test]
async fn what_finds_no_room_is_dropped_and_counted() {
    let mut few = bench(1.0, 2, 1 << 20);
    (0..5).for_each(|_| drop(few.start(None)));
    assert_eq!((few.records().len(), few.dropped.value()), (2, 3));
    assert_eq!(few.share.bytes_used(), 0);

    let mut small = bench(1.0, 10, 2 * runtime::budget::CHARGE_MIN);
    (0..5).for_each(|_| drop(small.start(None)));
    assert_eq!((small.records().len(), small.dropped.value()), (2, 3));
}

#[tokio::test]
async fn links_and_events_are_bounded() {
    let mut bench = bench(1.0, 1, 1 << 24);
    let mut span = bench.start(None);
    for number in 0..=u64::try_from(LINKS_MAX).unwrap() {
        let span_id = (number + 1).to_be_bytes();
        span.link(SpanContext { span_id, ..context(1, 1) });
        span.link(SpanContext { span_id, ..context(1, 1) });
        span.event("again", Vec::new());
    }
    drop(span);
    let record = bench.records().pop().unwrap();
    // The repeat of the one that found no room finds none either.
    assert_eq!((record.links.len(), record.links_dropped), (LINKS_MAX, 2));
    assert_eq!(record.events.len(), EVENTS_MAX);
}
