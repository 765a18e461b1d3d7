use super::*;

#[test]
fn finds_what_ran_of_the_program_itself() {
    let profile = "ob=(1) /bin/tidegate\nfl=(1) ???\nfn=(1) _ZN6config4read17h0123456789abcdefE\n\
                   12 3\ncob=(2) /lib/libc.so.6\ncfn=(2) malloc\ncalls=1 0\nob=(2)\nfn=(2)\n1 1\n\
                   ob=(1)\nfn=(3) mi_free'2\nfn=(4) (below main)\nfn=(5) 0x00000000000102f0\n";
    let found = functions(profile, "/bin/tidegate");
    let expected = ["_ZN6config4read17h*", "mi_free"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
}

#[test]
fn leaves_out_what_a_build_alone_knows() {
    let check = |name: &str, expected: &str| assert_eq!(stable(name).as_deref(), Some(expected));
    check("_ZN4core3ptr17h0123456789abcdefE.llvm.77", "_ZN4core3ptr17h*");
    check("_RNvNtCsjrHSEGnQ3l9_3std2io4read.llvm.77", "_RNvNtCs*_3std2io4read*");
}
