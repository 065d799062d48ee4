//! `config --hash`: what Compose stamps on containers to see whether a service changed.

use sha2::{Digest as _, Sha256};

use crate::model::shape::SERVICE;
use crate::output::json;
use crate::{Node, Project};

/// The order of a service's fields in what is hashed. It is frozen: another order would recreate every container.
const ORDER: &[&str] = &[
    "profiles",
    "annotations",
    "attach",
    "build",
    "develop",
    "blkio_config",
    "cap_add",
    "cap_drop",
    "cgroup_parent",
    "cgroup",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpus",
    "cpuset",
    "cpu_shares",
    "command",
    "configs",
    "container_name",
    "credential_spec",
    "depends_on",
    "deploy",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "dockerfile",
    "domainname",
    "entrypoint",
    "provider",
    "environment",
    "env_file",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "group_add",
    "gpus",
    "hostname",
    "healthcheck",
    "image",
    "init",
    "ipc",
    "isolation",
    "labels",
    "label_file",
    "links",
    "logging",
    "log_driver",
    "log_opt",
    "mem_limit",
    "mem_reservation",
    "memswap_limit",
    "mem_swappiness",
    "mac_address",
    "models",
    "net",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "privileged",
    "pull_policy",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "secrets",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volume_driver",
    "volumes",
    "volumes_from",
    "working_dir",
    "pre_start",
    "post_start",
    "pre_stop",
    "pull_refresh_after",
];

/// Attributes that can change without a new container.
const LEFT_OUT: &[&str] = &["build", "pull_policy", "scale", "depends_on", "profiles"];

impl Project {
    /// Services and their hashes, by name, as `config --hash "*"` prints them.
    #[must_use]
    pub fn hashes(&self) -> Vec<(String, String)> {
        let mut services: Vec<_> = self.services().collect();
        services.sort_by(|a, b| a.0.cmp(b.0));
        services.into_iter().map(|(name, service)| (name.to_string(), hash(service))).collect()
    }
}

fn hash(service: &Node) -> String {
    let mut service = service.clone();
    if let Some(map) = service.as_map_mut() {
        for key in LEFT_OUT {
            map.remove(key);
        }
        if let Some(deploy) = map.get_mut("deploy").and_then(Node::as_map_mut) {
            deploy.remove("replicas");
        }
    }
    let mut fields = json::service_fields(&service, &SERVICE);
    let place = |name: &str| ORDER.iter().position(|key| *key == name).unwrap_or(ORDER.len());
    fields.sort_by(|a, b| place(a.0).cmp(&place(b.0)).then(a.0.cmp(b.0)));
    let members: Vec<String> = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let digest = Sha256::digest(format!("{{{}}}", members.join(",")));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
