use super::{Histogram, Reading};

#[test]
fn a_histogram_puts_each_value_below_its_bound() {
    let sizes = Histogram::new(&[10, 20]);
    [0, 10, 11, 20, 21].into_iter().for_each(|size| sizes.record(size));
    let expected =
        Reading::Histogram { bounds: &[10, 20], counts: vec![2, 2, 1], sum: 62, scale: 1 };
    assert_eq!(expected, sizes.reading());
    assert_eq!((5, 62), (sizes.count(), sizes.sum()));
}
