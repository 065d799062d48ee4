//! When pods run again, and when Jobs run.

use super::Wrong;
use crate::kubernetes::{Pod, text};
use crate::schedule;

impl<'a> Wrong<'_, '_, 'a> {
    /// Pods of a Job end, those of any other workload never do.
    pub(super) fn restart_policy(&mut self, pod: &Pod<'a>) {
        let object = self.object;
        let (kind, ends) = match object.kind {
            kind @ ("Job" | "CronJob") => (kind, true),
            kind @ ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController") => (kind, false),
            _ => return,
        };
        let policy = text(pod.spec, &["restartPolicy"]).unwrap_or_default();
        let may_be = match policy {
            "Never" | "OnFailure" => ends,
            "" | "Always" => !ends,
            _ => false,
        };
        if may_be {
            return;
        }
        let help = match ends {
            true => "write `restartPolicy: Never` or `OnFailure`: otherwise it is `Always`, and the Job would not end".to_owned(),
            false => format!("remove it: pods of a {kind} are always started again"),
        };
        let (path, message) = match policy {
            "" => (pod.spec_path.clone(), format!("pods of {} have no `restartPolicy`", object.title())),
            policy => {
                let message = format!("pods of {} cannot have the `restartPolicy` `{policy}`", object.title());
                (pod.spec_path.key("restartPolicy"), message)
            }
        };
        self.push(path, message, &help);
    }

    pub(super) fn schedule(&mut self) {
        let object = self.object;
        let title = object.title();
        let schedule = text(object.node, &["spec", "schedule"]).unwrap_or_default();
        let Some(problem) = schedule::problem(schedule) else { return };
        let help = "write minute, hour, day, month and day of the week, such as `0 3 * * 1-5`, or a word such as `@daily`";
        let path = object.path_of(&["spec", "schedule"]);
        self.push(path, format!("`schedule` of {title} is none that Kubernetes reads: {problem}"), help);
    }
}
