//! `collimate.yaml`: a workspace or problems with places in the file, never both and never neither.

use ::release::Workspace;
use source::FileId;

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    match Workspace::parse(&text, FileId(0)) {
        Ok(workspace) => {
            for profile in &workspace.profiles {
                assert!(workspace.profile(&profile.name.value).is_some());
                assert!(workspace.channel(&profile.channel.value).is_some(), "a profile follows no channel");
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "it is refused without a reason");
            for problem in problems {
                assert!(problem.span.is_none_or(|span| text.get(span.range()).is_some()), "{}", problem.message);
            }
        }
    }
}
