//! Image references: what is one prints as one that means the same, and its parts lie where they say.

use ::release::{Digest, ImageRef};

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
        assert_eq!(format!("{}:{}", digest.algorithm(), digest.hex()), text);
    }
    let Ok(image) = text.parse::<ImageRef>() else { return };
    let ranges = image.ranges();
    let part = |range: &std::ops::Range<usize>| text.get(range.clone()).expect("a range lies in the text");
    assert_eq!(ranges.tag.as_ref().map(part), image.tag());
    assert_eq!(ranges.digest.as_ref().map(part), image.digest().map(Digest::as_str));
    let repository = part(&ranges.repository);
    assert!(image.repository().ends_with(repository), "`{repository}` is no end of `{}`", image.repository());
    part(&ranges.whole);
    let printed = image.to_string();
    let again: ImageRef = printed.parse().unwrap_or_else(|error| panic!("`{printed}` cannot be read again: {error}"));
    assert!(again.same_name(&image), "`{text}` and `{printed}` differ");
    assert_eq!((again.tag(), again.digest()), (image.tag(), image.digest()));
}
