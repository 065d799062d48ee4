//! When pods run again, and when Jobs run.

use findings::Severity;

use super::{Wrong, is_left_open};
use crate::kubernetes::{Pod, text};
use crate::schedule;
use crate::timezone::{self, Problem};

impl<'a> Wrong<'_, '_, 'a> {
    /// Pods of a Job end, those of other workloads never do, and a Pod of its own may do either.
    pub(super) fn restart_policy(&mut self, pod: &Pod<'a>) {
        let object = self.object;
        let (ends, help) = match object.kind {
            "Job" | "CronJob" => {
                let help = "write `restartPolicy: Never` or `OnFailure`: otherwise it is `Always`, and the Job would not end";
                (Some(true), help.to_owned())
            }
            kind @ ("Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController") => {
                (Some(false), format!("remove it: pods of a {kind} are always started again"))
            }
            "Pod" => (None, "write `Always`, `OnFailure` or `Never`".to_owned()),
            _ => return,
        };
        let policy = text(pod.spec, &["restartPolicy"]).unwrap_or_default();
        let may_be = match policy {
            "Never" | "OnFailure" => ends != Some(false),
            "" | "Always" => ends != Some(true),
            other => is_left_open(other),
        };
        if may_be {
            return;
        }
        let has_key = pod.spec.target().get("restartPolicy").is_some();
        let path = if has_key { pod.spec_path.key("restartPolicy") } else { pod.spec_path.clone() };
        let whose = if object.kind == "Pod" { object.title() } else { format!("pods of {}", object.title()) };
        let message = match policy {
            "" => format!("{whose} have no `restartPolicy`"),
            policy => format!("{whose} cannot have the `restartPolicy` `{policy}`"),
        };
        self.push(path, message, &help);
    }

    pub(super) fn schedule(&mut self) {
        let object = self.object;
        let title = object.title();
        let schedule = text(object.node, &["spec", "schedule"]).unwrap_or_default();
        let Some(problem) = schedule::problem(schedule).filter(|_| !is_left_open(schedule)) else { return };
        let help = "write minute, hour, day, month and day of the week, such as `0 3 * * 1-5`, or a word such as `@daily`";
        let path = object.path_of(&["spec", "schedule"]);
        self.push(path, format!("`schedule` of {title} is none that Kubernetes reads: {problem}"), help);
    }
    /// A CronJob without a time zone runs by the clock of the controller.
    pub(super) fn time_zone(&mut self) {
        let object = self.object;
        let Some(zone) = text(object.node, &["spec", "timeZone"]).filter(|zone| !is_left_open(zone)) else { return };
        let (severity, near) = match timezone::problem(zone) {
            Some(Problem::NoName) => (Severity::Error, None),
            Some(Problem::Unknown { near }) => (Severity::Warning, near),
            None => return,
        };
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a name of IANA's database, such as `Etc/UTC` or `Europe/Berlin`".to_owned(),
        };
        let message = format!("`timeZone` of {} is no time zone that is known", object.title());
        let finding = self.finding(severity, object.path_of(&["spec", "timeZone"]), message, &help);
        self.out.push(finding);
    }
}
