//! The door for callers that know nothing of tasks and runtimes.

use std::collections::BTreeMap;
use std::sync::Arc;

use release::ImageRef;
use source::system;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::fault::{Fault, Kind};
use crate::registry::{Registry, Resolved};

/// A client of registries. Connections, logins and tokens last as long as it does.
pub struct Client {
    registry: Arc<Registry>,
    parallel: usize,
    runtime: Option<Runtime>,
}

impl Client {
    /// Reads the credentials files; connects to nothing.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn new(config: Config) -> Result<Self, Fault> {
        let parallel = config.limits.parallel.max(1);
        let registry = Arc::new(Registry::new(config)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            Fault::new(Kind::RequestFailed, format!("this machine gives no event loop: {}", system::reason(&error)))
        })?;
        Ok(Self { registry, parallel, runtime: Some(runtime) })
    }

    /// Which digest each tag has, in the order of the questions. A digest in a reference is what the caller believes: where it is right,
    /// one small question is enough; where it is not, the answer says whether it is one of the index's platforms.
    #[must_use]
    pub fn resolve(&self, images: &[ImageRef]) -> Vec<Result<Resolved, Fault>> {
        let Some(runtime) = &self.runtime else { return Vec::new() };
        let spelled = |image: &ImageRef| {
            let digest = image.digest().map(ToString::to_string).unwrap_or_default();
            format!("{}:{}@{digest}", image.name(), image.tag().unwrap_or_default())
        };
        // The same question is asked once.
        let questions: BTreeMap<String, &ImageRef> = images.iter().map(|image| (spelled(image), image)).collect();
        let answers = runtime.block_on(self.ask(questions));
        images
            .iter()
            .map(|image| {
                let lost = || Err(Fault::new(Kind::RequestFailed, format!("`{}`: no answer came back", image.name())));
                answers.get(&spelled(image)).cloned().unwrap_or_else(lost)
            })
            .collect()
    }

    async fn ask(&self, questions: BTreeMap<String, &ImageRef>) -> BTreeMap<String, Result<Resolved, Fault>> {
        let at_once = Arc::new(Semaphore::new(self.parallel));
        let mut tasks = JoinSet::new();
        for (spelled, image) in questions {
            let (registry, at_once, image) = (Arc::clone(&self.registry), Arc::clone(&at_once), image.clone());
            tasks.spawn(async move {
                let _turn = at_once.acquire().await;
                (spelled, registry.resolve(&image).await)
            });
        }
        tasks.join_all().await.into_iter().collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A resolver that still waits for a name server must not keep the program.
            runtime.shutdown_background();
        }
    }
}
