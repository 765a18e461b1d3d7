use super::*;

#[test]
fn varints_round_trip() {
    for shift in 0..64 {
        for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value));
            let mut at = 0;
            assert_eq!(read_varint(&out, &mut at), Ok(value));
            assert_eq!(at, out.len());
        }
    }
}

#[test]
fn refuses_varints_over_64_bits() {
    let mut eleven = vec![0x80; 10];
    eleven.push(1);
    assert_eq!(read_varint(&eleven, &mut 0), Err(Fault::VarintTooLong));
    let mut overflow = vec![0xff; 9];
    overflow.push(2);
    assert_eq!(read_varint(&overflow, &mut 0), Err(Fault::VarintTooLong));
    assert_eq!(read_varint(&[0x80], &mut 0), Err(Fault::Truncated));
    assert_eq!(read_varint(&[], &mut 0), Err(Fault::Truncated));
}

#[test]
fn reads_each_wire_type_with_its_place() {
    let mut out = Vec::new();
    put_varint_field(&mut out, 1, 300);
    put_fixed64_field(&mut out, 2, 7);
    put_bytes_field(&mut out, 3, b"abc");
    put_fixed32_field(&mut out, 16, 9);
    let fields: Vec<Field<'_>> = Fields::of(&out).collect();
    let numbers: Vec<u32> = fields.iter().map(|field| field.number).collect();
    assert_eq!(numbers, [1, 2, 3, 16]);
    assert_eq!(fields[0].number_value(), 300);
    assert_eq!(fields[1].number_value(), 7);
    assert_eq!(fields[2].text(), "abc");
    assert_eq!(&out[fields[2].body_start()..fields[2].end], b"abc");
    assert_eq!(fields[3].number_value(), 9);
    assert!(fields.windows(2).all(|pair| pair[0].end == pair[1].start));
    assert_eq!(len_field_len(3, 3), fields[2].end - fields[2].start);
}

#[test]
fn ends_at_the_first_fault() {
    let faults: [(&[u8], Fault); 7] = [
        (&[0x00, 0x01], Fault::FieldZero),
        (&[0x0b], Fault::Group),
        (&[0x0c], Fault::Group),
        (&[0x0e], Fault::UnknownWireType),
        (&[0x0a, 0x02, 0x00], Fault::LengthPastEnd),
        (&[0x09, 0x00], Fault::Truncated),
        (&[0xf8, 0xff, 0xff, 0xff, 0x1f, 0x00], Fault::FieldTooHigh),
    ];
    for (bytes, fault) in faults {
        assert_eq!(Fields::of(bytes).next_field(), Some(Err(fault)));
        assert_eq!(Fields::of(bytes).count(), 0);
    }
}
