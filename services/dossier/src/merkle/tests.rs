use proptest::prelude::*;

use super::*;

/// Leaves of the test vectors of Certificate Transparency (merkle_tree_test.cc), and the roots of the trees over the
/// first one, two, … of them.
const VECTORS: [(&str, &str); 8] = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    ("606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
];

fn hashed(content: &[u8]) -> Hash {
    sha256(&[&[0], content].concat())
}

fn vector_leaves() -> Vec<Hash> {
    VECTORS.iter().map(|(content, _)| hashed(&hex::decode(content).unwrap())).collect()
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| hashed(&n.to_be_bytes())).collect()
}

/// Section 2.1 word for word.
fn root_by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        many => {
            let (left, right) = many.split_at(split(many.len()));
            parent(&root_by_definition(left), &root_by_definition(right))
        }
    }
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    let leaves = vector_leaves();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex::encode(head([]).root), empty);
    assert_eq!(hex::encode(Tree::default().head(0).unwrap().root), empty);
    let tree: Tree = leaves.iter().copied().collect();
    for (count, (_, root)) in (1..).zip(VECTORS) {
        let of_tree = tree.head(count).unwrap();
        assert_eq!((of_tree.facts, hex::encode(of_tree.root).as_str()), (count, root));
        let streamed = head(leaves.iter().copied().take(usize::try_from(count).unwrap()));
        assert_eq!(streamed, of_tree);
    }
    assert_eq!(tree.head(9), None);
}

/// The tree of seven leaves drawn in RFC 6962, section 2.1.3, with the audit paths that it lists.
#[test]
fn paths_are_those_of_the_rfc() {
    let d = leaves(7);
    let (g, h, i, j) = (parent(&d[0], &d[1]), parent(&d[2], &d[3]), parent(&d[4], &d[5]), d[6]);
    let (k, l) = (parent(&g, &h), parent(&i, &j));
    let root = parent(&k, &l);
    let tree: Tree = d.iter().copied().collect();
    assert_eq!(tree.head(7).unwrap().root, root);
    let check = |number: u64, path: &[Hash]| {
        assert_eq!(tree.proof(number, 7).unwrap(), path, "{number}");
        let leaf = d[usize::try_from(number - 1).unwrap()];
        assert_eq!(root_of(leaf, number, 7, path), Some(root), "{number}");
    };
    check(1, &[d[1], h, l]);
    check(4, &[d[2], g, l]);
    check(5, &[d[5], j, k]);
    check(7, &[i, k]);
}

#[test]
fn a_proof_holds_for_its_place_only() {
    let d = leaves(70);
    let tree: Tree = d.iter().copied().collect();
    for facts in 1..=70 {
        let count = usize::try_from(facts).unwrap();
        let root = root_by_definition(&d[..count]);
        assert_eq!(tree.head(facts).unwrap().root, root);
        for (number, leaf) in (1..=facts).zip(&d) {
            let path = tree.proof(number, facts).unwrap();
            assert_eq!(root_of(*leaf, number, facts, &path), Some(root), "{number} of {facts}");
            let elsewhere = (1..=facts).filter(|other| *other != number);
            assert!(elsewhere.into_iter().all(|other| root_of(*leaf, other, facts, &path) != Some(root)));
            let longer = [path.as_slice(), &[root]].concat();
            assert_eq!(root_of(*leaf, number, facts, &longer), None);
            if let [shorter @ .., _] = path.as_slice() {
                assert_eq!(root_of(*leaf, number, facts, shorter), None);
            }
        }
    }
}

#[test]
fn what_is_not_in_the_tree_has_no_proof() {
    let tree: Tree = leaves(5).into_iter().collect();
    for (number, facts) in [(0, 5), (6, 5), (1, 0), (1, 6), (4, 3), (u64::MAX, u64::MAX)] {
        assert_eq!(tree.proof(number, facts), None, "{number} of {facts}");
    }
    assert_eq!(root_of([7; 32], 0, 1, &[]), None);
    assert_eq!(root_of([7; 32], 1, 0, &[]), None);
    assert_eq!(root_of([7; 32], 2, 1, &[]), None);
    assert_eq!(root_of([7; 32], 1, 1, &[]), Some([7; 32]));
}

proptest! {
    #[test]
    fn no_proof_makes_it_panic(number: u64, facts: u64, path in proptest::collection::vec(any::<Hash>(), 0..80)) {
        root_of([0; 32], number, facts, &path);
    }

    #[test]
    fn peaks_tree_and_definition_agree(count in 0_u64..600) {
        let leaves = leaves(count);
        let expected = root_by_definition(&leaves);
        let tree: Tree = leaves.iter().copied().collect();
        prop_assert_eq!(tree.head(count).unwrap().root, expected);
        prop_assert_eq!(head(leaves), Head { facts: count, root: expected });
    }
}

/// For measuring by hand: `cargo test -p beltwatch-dossier -- --ignored a_million`, one at a time.
#[test]
#[ignore = "measured by hand"]
fn a_million_leaves_have_a_head() {
    assert_eq!(head(leaves(1_000_000)).facts, 1_000_000);
}

#[test]
#[ignore = "measured by hand"]
fn a_million_leaves_have_proofs() {
    let leaves = leaves(1_000_000);
    let tree: Tree = leaves.iter().copied().collect();
    let root = tree.head(1_000_000).unwrap().root;
    for number in (1..=1_000_000).step_by(1_000) {
        let path = tree.proof(number, 1_000_000).unwrap();
        let leaf = leaves[usize::try_from(number - 1).unwrap()];
        assert_eq!(root_of(leaf, number, 1_000_000, &path), Some(root));
    }
}
