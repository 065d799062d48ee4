//! compose-go's types as tables: field order, kinds, and what is left out when empty.

use self::Kind::{
    Bool, Bytes, Command, Count, Cpus, Duration, Environment, Float32, HealthTest, Hosts, Int, Labels, List, MapOf,
    MapOfPointers, Mapping, Mode, MultiOptions, Options, Ssh, Str, StringList, StringMap, StringOrNumberList, Struct,
    TrueUnlessSaid, Uint, Ulimit,
};
use self::Omit::{Empty, Never, Nil};

/// A struct of compose-go.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) fields: &'static [Field],
    /// Whether `x-…` keys are kept.
    pub(crate) extensions: bool,
}

/// A field of a struct.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) omit: Omit,
    /// The name in JSON; empty for what JSON does not have.
    pub(crate) json: &'static str,
}

/// When a field is not printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Omit {
    /// Its value is empty, zero or false.
    Empty,
    /// A pointer that was not set.
    Nil,
    Never,
}

/// What a field's value becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Str,
    Bool,
    /// A boolean that is printed only if false.
    TrueUnlessSaid,
    Int,
    /// Unsigned, of so many bits.
    Uint(u32),
    Float32,
    /// As `Float32`, but strings are numbers too.
    Cpus,
    Bytes,
    Duration,
    /// A file mode, printed in octal.
    Mode,
    /// A number of devices; `all` is -1.
    Count,
    /// One number, or soft and hard.
    Ulimit,
    /// `[]T`
    List(&'static Self),
    /// A string or a list of strings.
    StringList,
    StringOrNumberList,
    /// `map[string]string` as Go decodes it.
    StringMap,
    /// `map[string]string` of anything; or a list of `KEY=VALUE`.
    Mapping,
    /// Like `Mapping`, but values can be missing.
    Environment,
    Labels,
    /// `map[string]string` of anything.
    Options,
    /// `map[string][]string` of anything.
    MultiOptions,
    Hosts,
    Ssh,
    /// A string becomes words. Nil and empty differ.
    Command,
    /// A string becomes `CMD-SHELL` and itself.
    HealthTest,
    Struct(&'static Shape),
    /// `map[string]T`
    MapOf(&'static Self),
    /// `map[string]*T`: null stays.
    MapOfPointers(&'static Self),
}

const fn field(name: &'static str, kind: Kind, omit: Omit) -> Field {
    Field { name, kind, omit, json: name }
}

/// A job's own name, which compose-go prints in YAML (a service's it does not).
const fn job_name() -> Field {
    Field { name: "name", kind: Str, omit: Empty, json: "" }
}

/// Fields that are all of one kind and left out when empty.
macro_rules! shape {
    ($(#[$doc:meta])* $name:ident { $($first:expr,)? ; $($field:literal: $kind:expr, $omit:expr;)* }) => {
        $(#[$doc])*
        pub(crate) static $name: Shape =
            Shape { fields: &[$($first,)? $(field($field, $kind, $omit)),*], extensions: true };
    };
    ($(#[$doc:meta])* $name:ident { $($field:literal: $kind:expr, $omit:expr;)* }) => {
        shape!($(#[$doc])* $name { ; $($field: $kind, $omit;)* });
    };
}

shape!(PROJECT {
    "name": Str, Empty;
    "services": MapOf(&Struct(&SERVICE)), Never;
    "jobs": MapOf(&Struct(&JOB)), Empty;
    "networks": MapOf(&Struct(&NETWORK)), Empty;
    "volumes": MapOf(&Struct(&VOLUME)), Empty;
    "secrets": MapOf(&Struct(&FILE_OBJECT)), Empty;
    "configs": MapOf(&Struct(&FILE_OBJECT)), Empty;
    "models": MapOf(&Struct(&MODEL)), Empty;
});

/// Container and workload attributes end the list of a service's and of a job's fields.
macro_rules! workload {
    ($(#[$doc:meta])* $name:ident $(after $first:expr;)? { $($field:literal: $kind:expr, $omit:expr;)* } { $($last:literal: $last_kind:expr, $last_omit:expr;)* }) => {
        shape!($(#[$doc])* $name {
            $($first,)? ;
            $($field: $kind, $omit;)*
            "annotations": Mapping, Empty;
            "blkio_config": Struct(&BLKIO), Nil;
            "cap_add": List(&Str), Empty;
            "cap_drop": List(&Str), Empty;
            "cgroup_parent": Str, Empty;
            "cgroup": Str, Empty;
            "cpu_count": Int, Empty;
            "cpu_percent": Float32, Empty;
            "cpu_period": Int, Empty;
            "cpu_quota": Int, Empty;
            "cpu_rt_period": Int, Empty;
            "cpu_rt_runtime": Int, Empty;
            "cpus": Float32, Empty;
            "cpuset": Str, Empty;
            "cpu_shares": Int, Empty;
            "command": Command, Nil;
            "configs": List(&Struct(&FILE_REFERENCE)), Empty;
            "credential_spec": Struct(&CREDENTIAL_SPEC), Nil;
            "device_cgroup_rules": List(&Str), Empty;
            "devices": List(&Struct(&DEVICE_MAPPING)), Empty;
            "dns": StringList, Empty;
            "dns_opt": List(&Str), Empty;
            "dns_search": StringList, Empty;
            "domainname": Str, Empty;
            "entrypoint": Command, Nil;
            "environment": Environment, Empty;
            "env_file": List(&Struct(&ENV_FILE)), Empty;
            "extra_hosts": Hosts, Empty;
            "group_add": List(&Str), Empty;
            "gpus": List(&Struct(&DEVICE_REQUEST)), Empty;
            "hostname": Str, Empty;
            "image": Str, Empty;
            "init": Bool, Nil;
            "ipc": Str, Empty;
            "isolation": Str, Empty;
            "labels": Labels, Empty;
            "label_file": List(&Str), Empty;
            "logging": Struct(&LOGGING), Nil;
            "log_driver": Str, Empty;
            "log_opt": StringMap, Empty;
            "mem_limit": Bytes, Empty;
            "mem_reservation": Bytes, Empty;
            "memswap_limit": Bytes, Empty;
            "mem_swappiness": Bytes, Empty;
            "mac_address": Str, Empty;
            "models": MapOfPointers(&Struct(&SERVICE_MODEL)), Empty;
            "network_mode": Str, Empty;
            "networks": MapOfPointers(&Struct(&SERVICE_NETWORK)), Empty;
            "oom_kill_disable": Bool, Empty;
            "oom_score_adj": Int, Empty;
            "pid": Str, Empty;
            "pids_limit": Int, Empty;
            "platform": Str, Empty;
            "privileged": Bool, Empty;
            "pull_policy": Str, Empty;
            "pull_refresh_after": Str, Empty;
            "read_only": Bool, Empty;
            "runtime": Str, Empty;
            "secrets": List(&Struct(&FILE_REFERENCE)), Empty;
            "security_opt": List(&Str), Empty;
            "shm_size": Bytes, Empty;
            "stop_grace_period": Duration, Nil;
            "stop_signal": Str, Empty;
            "storage_opt": StringMap, Empty;
            "sysctls": Mapping, Empty;
            "tmpfs": StringList, Empty;
            "ulimits": MapOfPointers(&Ulimit), Empty;
            "use_api_socket": Bool, Empty;
            "user": Str, Empty;
            "userns_mode": Str, Empty;
            "uts": Str, Empty;
            "volume_driver": Str, Empty;
            "volumes": List(&Struct(&SERVICE_VOLUME)), Empty;
            "volumes_from": List(&Str), Empty;
            "working_dir": Str, Empty;
            $($last: $last_kind, $last_omit;)*
        });
    };
}

workload!(SERVICE {
    "profiles": List(&Str), Empty;
    "deploy": Struct(&DEPLOY), Nil;
    "develop": Struct(&DEVELOP), Nil;
    "restart": Str, Empty;
    "scale": Int, Nil;
    "attach": Bool, Nil;
    "container_name": Str, Empty;
    "provider": Struct(&PROVIDER), Nil;
    "extends": Struct(&EXTENDS), Nil;
    "external_links": List(&Str), Empty;
    "links": List(&Str), Empty;
    "net": Str, Empty;
    "pre_start": List(&Struct(&PRE_START)), Empty;
    "post_start": List(&Struct(&HOOK)), Empty;
    "pre_stop": List(&Struct(&HOOK)), Empty;
} {
    "build": Struct(&BUILD), Nil;
    "depends_on": MapOf(&Struct(&DEPENDENCY)), Empty;
    "dockerfile": Str, Empty;
    "expose": StringOrNumberList, Empty;
    "healthcheck": Struct(&HEALTHCHECK), Nil;
    "ports": List(&Struct(&PORT)), Empty;
    "stdin_open": Bool, Empty;
    "tty": Bool, Empty;
});

workload!(JOB after job_name(); {
    "profiles": List(&Str), Empty;
    "triggers": Struct(&TRIGGERS), Nil;
} {
    "build": Struct(&BUILD), Nil;
    "depends_on": MapOf(&Struct(&DEPENDENCY)), Empty;
    "dockerfile": Str, Empty;
    "expose": StringOrNumberList, Empty;
    "healthcheck": Struct(&HEALTHCHECK), Nil;
    "ports": List(&Struct(&PORT)), Empty;
    "stdin_open": Bool, Empty;
    "tty": Bool, Empty;
});

workload!(PRE_START {} {
    "per_replica": Bool, Empty;
});

shape!(HOOK {
    "command": Command, Nil;
    "user": Str, Empty;
    "privileged": Bool, Empty;
    "working_dir": Str, Empty;
    "environment": Environment, Empty;
});

shape!(TRIGGERS {
    "manual": Bool, Nil;
    "schedule": List(&Struct(&SCHEDULE)), Empty;
});

shape!(SCHEDULE {
    "cron": Str, Empty;
    "timezone": Str, Empty;
    "concurrency": Str, Empty;
    "missed_fires": Str, Empty;
});

shape!(BUILD {
    "context": Str, Empty;
    "dockerfile": Str, Empty;
    "dockerfile_inline": Str, Empty;
    "entitlements": List(&Str), Empty;
    "args": Environment, Empty;
    "provenance": Str, Empty;
    "sbom": Str, Empty;
    "ssh": Ssh, Empty;
    "labels": Labels, Empty;
    "cache_from": StringList, Empty;
    "cache_to": StringList, Empty;
    "no_cache": Bool, Empty;
    "no_cache_filter": StringList, Empty;
    "additional_contexts": Mapping, Empty;
    "pull": Bool, Empty;
    "extra_hosts": Hosts, Empty;
    "isolation": Str, Empty;
    "network": Str, Empty;
    "target": Str, Empty;
    "secrets": List(&Struct(&FILE_REFERENCE)), Empty;
    "shm_size": Bytes, Empty;
    "tags": StringList, Empty;
    "ulimits": MapOfPointers(&Ulimit), Empty;
    "platforms": StringList, Empty;
    "privileged": Bool, Empty;
});

shape!(BLKIO {
    "weight": Uint(16), Empty;
    "weight_device": List(&Struct(&WEIGHT_DEVICE)), Empty;
    "device_read_bps": List(&Struct(&THROTTLE_DEVICE)), Empty;
    "device_read_iops": List(&Struct(&THROTTLE_DEVICE)), Empty;
    "device_write_bps": List(&Struct(&THROTTLE_DEVICE)), Empty;
    "device_write_iops": List(&Struct(&THROTTLE_DEVICE)), Empty;
});

pub(crate) static WEIGHT_DEVICE: Shape = Shape {
    fields: &[
        Field { name: "path", kind: Str, omit: Never, json: "Path" },
        Field { name: "weight", kind: Uint(16), omit: Never, json: "Weight" },
    ],
    extensions: true,
};

pub(crate) static THROTTLE_DEVICE: Shape = Shape {
    fields: &[
        Field { name: "path", kind: Str, omit: Never, json: "Path" },
        Field { name: "rate", kind: Bytes, omit: Never, json: "Rate" },
    ],
    extensions: true,
};

shape!(CREDENTIAL_SPEC {
    "config": Str, Empty;
    "file": Str, Empty;
    "registry": Str, Empty;
});

shape!(DEVICE_MAPPING {
    "source": Str, Empty;
    "target": Str, Empty;
    "permissions": Str, Empty;
});

pub(crate) static DEVICE_REQUEST: Shape = Shape {
    fields: &[
        field("capabilities", List(&Str), Empty),
        field("driver", Str, Empty),
        field("count", Count, Empty),
        field("device_ids", List(&Str), Empty),
        field("options", Mapping, Empty),
    ],
    extensions: false,
};

shape!(ENV_FILE {
    "path": Str, Empty;
    "required": TrueUnlessSaid, Empty;
    "format": Str, Empty;
});

shape!(LOGGING {
    "driver": Str, Empty;
    "options": Options, Empty;
});

shape!(SERVICE_MODEL {
    "endpoint_var": Str, Empty;
    "model_var": Str, Empty;
});

shape!(SERVICE_NETWORK {
    "aliases": List(&Str), Empty;
    "driver_opts": Options, Empty;
    "gw_priority": Int, Empty;
    "interface_name": Str, Empty;
    "ipv4_address": Str, Empty;
    "ipv6_address": Str, Empty;
    "link_local_ips": List(&Str), Empty;
    "mac_address": Str, Empty;
    "priority": Int, Empty;
});

shape!(SERVICE_VOLUME {
    "type": Str, Empty;
    "source": Str, Empty;
    "target": Str, Empty;
    "read_only": Bool, Empty;
    "consistency": Str, Empty;
    "bind": Struct(&VOLUME_BIND), Nil;
    "volume": Struct(&VOLUME_VOLUME), Nil;
    "tmpfs": Struct(&VOLUME_TMPFS), Nil;
    "image": Struct(&VOLUME_IMAGE), Nil;
});

shape!(VOLUME_BIND {
    "selinux": Str, Empty;
    "propagation": Str, Empty;
    "create_host_path": TrueUnlessSaid, Empty;
    "recursive": Str, Empty;
});

shape!(VOLUME_VOLUME {
    "labels": Mapping, Empty;
    "nocopy": Bool, Empty;
    "subpath": Str, Empty;
});

shape!(VOLUME_TMPFS {
    "size": Bytes, Empty;
    "mode": Uint(32), Empty;
});

shape!(VOLUME_IMAGE {
    "subpath": Str, Empty;
});

shape!(FILE_REFERENCE {
    "source": Str, Empty;
    "target": Str, Empty;
    "uid": Str, Empty;
    "gid": Str, Empty;
    "mode": Mode, Nil;
});

shape!(DEPLOY {
    "mode": Str, Empty;
    "replicas": Int, Nil;
    "labels": Labels, Empty;
    "update_config": Struct(&UPDATE_CONFIG), Nil;
    "rollback_config": Struct(&UPDATE_CONFIG), Nil;
    "resources": Struct(&RESOURCES), Empty;
    "restart_policy": Struct(&RESTART_POLICY), Nil;
    "placement": Struct(&PLACEMENT), Empty;
    "endpoint_mode": Str, Empty;
});

shape!(UPDATE_CONFIG {
    "parallelism": Uint(64), Nil;
    "delay": Duration, Empty;
    "failure_action": Str, Empty;
    "monitor": Duration, Empty;
    "max_failure_ratio": Float32, Empty;
    "order": Str, Empty;
});

shape!(RESOURCES {
    "limits": Struct(&RESOURCE), Nil;
    "reservations": Struct(&RESOURCE), Nil;
});

shape!(RESOURCE {
    "cpus": Cpus, Empty;
    "memory": Bytes, Empty;
    "pids": Int, Empty;
    "devices": List(&Struct(&DEVICE_REQUEST)), Empty;
    "generic_resources": List(&Struct(&GENERIC_RESOURCE)), Empty;
});

shape!(GENERIC_RESOURCE {
    "discrete_resource_spec": Struct(&DISCRETE_RESOURCE), Nil;
});

shape!(DISCRETE_RESOURCE {
    "kind": Str, Never;
    "value": Int, Never;
});

shape!(RESTART_POLICY {
    "condition": Str, Empty;
    "delay": Duration, Nil;
    "max_attempts": Uint(64), Nil;
    "window": Duration, Nil;
});

shape!(PLACEMENT {
    "constraints": List(&Str), Empty;
    "preferences": List(&Struct(&PREFERENCE)), Empty;
    "max_replicas_per_node": Uint(64), Empty;
});

shape!(PREFERENCE {
    "spread": Str, Empty;
});

shape!(DEVELOP {
    "watch": List(&Struct(&WATCH)), Empty;
});

shape!(WATCH {
    "path": Str, Never;
    "action": Str, Never;
    "target": Str, Empty;
    "exec": Struct(&HOOK), Empty;
    "include": List(&Str), Empty;
    "ignore": List(&Str), Empty;
    "initial_sync": Bool, Empty;
});

shape!(PROVIDER {
    "type": Str, Empty;
    "options": MultiOptions, Empty;
});

pub(crate) static EXTENDS: Shape =
    Shape { fields: &[field("file", Str, Empty), field("service", Str, Empty)], extensions: false };

shape!(DEPENDENCY {
    "condition": Str, Empty;
    "restart": Bool, Empty;
    "required": Bool, Never;
});

shape!(HEALTHCHECK {
    "test": HealthTest, Empty;
    "timeout": Duration, Nil;
    "interval": Duration, Nil;
    "retries": Uint(64), Nil;
    "start_period": Duration, Nil;
    "start_interval": Duration, Nil;
    "disable": Bool, Empty;
});

shape!(PORT {
    "name": Str, Empty;
    "mode": Str, Empty;
    "host_ip": Str, Empty;
    "target": Uint(32), Empty;
    "published": Str, Empty;
    "protocol": Str, Empty;
    "app_protocol": Str, Empty;
});

shape!(NETWORK {
    "name": Str, Empty;
    "driver": Str, Empty;
    "driver_opts": Options, Empty;
    "ipam": Struct(&IPAM), Empty;
    "external": Bool, Empty;
    "internal": Bool, Empty;
    "attachable": Bool, Empty;
    "labels": Labels, Empty;
    "enable_ipv4": Bool, Nil;
    "enable_ipv6": Bool, Nil;
});

shape!(IPAM {
    "driver": Str, Empty;
    "config": List(&Struct(&IPAM_POOL)), Empty;
    "options": Options, Empty;
});

pub(crate) static IPAM_POOL: Shape = Shape {
    fields: &[
        field("subnet", Str, Empty),
        field("gateway", Str, Empty),
        field("ip_range", Str, Empty),
        field("aux_addresses", Mapping, Empty),
    ],
    extensions: false,
};

shape!(VOLUME {
    "name": Str, Empty;
    "driver": Str, Empty;
    "driver_opts": Options, Empty;
    "external": Bool, Empty;
    "labels": Labels, Empty;
});

shape!(FILE_OBJECT {
    "name": Str, Empty;
    "file": Str, Empty;
    "environment": Str, Empty;
    "content": Str, Empty;
    "external": Bool, Empty;
    "labels": Labels, Empty;
    "driver": Str, Empty;
    "driver_opts": StringMap, Empty;
    "template_driver": Str, Empty;
});

shape!(MODEL {
    "name": Str, Empty;
    "model": Str, Empty;
    "context_size": Int, Empty;
    "runtime_flags": List(&Str), Empty;
});
