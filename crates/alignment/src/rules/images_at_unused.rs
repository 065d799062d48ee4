//! `images_at` names a place where no profile has an image: one that stands elsewhere would go unseen.

use std::ops::RangeInclusive;

use findings::{Finding, Severity};
use release::ImagesAt;

use crate::kubernetes::images;
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::Survey;

pub(super) struct ImagesAtUnused;

impl Rule for ImagesAtUnused {
    fn id(&self) -> &'static str {
        "images-at-unused"
    }

    fn summary(&self) -> &'static str {
        "`images_at` names a place where no profile has an image"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Warning
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        if !survey.is_complete(|_| true) {
            return;
        }
        for at in &survey.inputs.workspace.images_at {
            let variants = survey.profiles.iter().flat_map(|profile| &profile.profile.variants);
            let mut renderings = variants.filter_map(|variant| variant.kubernetes());
            let finds = |at: &[ImagesAt], rendering| images(rendering, 0, at).len();
            if renderings.any(|rendering| finds(std::slice::from_ref(at), rendering) > finds(&[], rendering)) {
                continue;
            }
            let (span, what) = match at {
                ImagesAt::Path { kind, path } => (path.span, format!("at `{}` of a `{}`", path.value, kind.value)),
                ImagesAt::Args(pattern) => (pattern.span, format!("in an argument like `{}`", pattern.value)),
            };
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Warning,
                    Place::source(span),
                    format!("no profile has an image {what}"),
                )
                .help("correct the kind, the path or the pattern, or remove the entry from `images_at`"),
            );
        }
    }
}
