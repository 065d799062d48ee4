//! Which attributes are numbers and booleans although they were written as strings.

use std::sync::LazyLock;

use source::Text;

use crate::path::{Path, Table};
use crate::{Node, Value, go};

/// Makes a value of a string; warnings go to the function.
pub(crate) type Cast = fn(&Text, &mut dyn FnMut(String)) -> Result<Value, String>;

/// The cast for an attribute.
pub(crate) fn for_path(path: &Path<'_>) -> Option<Cast> {
    CASTS.find(path)
}

static CASTS: LazyLock<Table<Cast>> = LazyLock::new(|| {
    let mut casts = Table::new();
    let container = ["services.*", "jobs.*", "services.*.pre_start.*"];
    let workload = ["services.*", "jobs.*"];
    let service = ["services.*"];
    let mut add = |prefixes: &[&'static str], cast: Cast, patterns: &[&'static str]| {
        for pattern in patterns {
            casts.add(prefixes, pattern, cast);
        }
    };
    add(&["networks.*"], to_bool, &["external", "internal", "attachable", "enable_ipv4", "enable_ipv6"]);
    add(&["volumes.*", "secrets.*", "configs.*"], to_bool, &["external"]);
    add(
        &container,
        to_int64,
        &[
            "cpu_count",
            "cpu_period",
            "cpu_quota",
            "cpu_rt_period",
            "cpu_rt_runtime",
            "cpu_shares",
            "oom_score_adj",
            "pids_limit",
        ],
    );
    add(&container, to_float, &["cpu_percent"]);
    add(&container, to_float32, &["cpus"]);
    add(&container, to_bool, &["init", "oom_kill_disable", "privileged", "read_only"]);
    add(&container, to_bool, &["volumes.[].read_only", "volumes.[].volume.nocopy"]);
    add(&container, to_int, &["ulimits.*", "ulimits.*.hard", "ulimits.*.soft"]);
    add(&workload, to_bool, &["depends_on.*.required", "depends_on.*.restart"]);
    add(&workload, to_bool, &["healthcheck.disable", "stdin_open", "tty"]);
    add(&workload, to_int, &["healthcheck.retries", "ports.[].target"]);
    add(
        &service,
        to_int,
        &[
            "deploy.replicas",
            "deploy.update_config.parallelism",
            "deploy.rollback_config.parallelism",
            "deploy.restart_policy.max_attempts",
            "deploy.placement.max_replicas_per_node",
            "scale",
        ],
    );
    add(&service, to_float, &["deploy.update_config.max_failure_ratio", "deploy.rollback_config.max_failure_ratio"]);
    casts
});

fn to_int(text: &Text, _: &mut dyn FnMut(String)) -> Result<Value, String> {
    parse_int(text, "Atoi").map(Value::Int)
}

fn to_int64(text: &Text, _: &mut dyn FnMut(String)) -> Result<Value, String> {
    parse_int(text, "ParseInt").map(Value::Int)
}

/// `strconv.Atoi` or `ParseInt(…, 10, 64)`, by the name that its errors carry.
pub(crate) fn parse_int(text: &str, function: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let reason = if is_number { "value out of range" } else { "invalid syntax" };
    let number = is_number.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| format!("strconv.{function}: parsing {}: {reason}", go::quote(text)))
}

/// `strconv.ParseFloat(…, 64)`, without hexadecimal floats.
pub(crate) fn parse_float(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("strconv.ParseFloat: parsing {}: invalid syntax", go::quote(text)))
}

/// The float64 that prints like this float32.
pub(crate) fn float32(value: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "that is what Go does")]
    let narrow = value as f32;
    narrow.to_string().parse().unwrap_or(value)
}

fn to_float(text: &Text, _: &mut dyn FnMut(String)) -> Result<Value, String> {
    parse_float(text).map(Value::Float)
}

fn to_float32(text: &Text, _: &mut dyn FnMut(String)) -> Result<Value, String> {
    parse_float(text).map(|value| Value::Float(float32(value)))
}

pub(crate) fn to_bool(text: &Text, warn: &mut dyn FnMut(String)) -> Result<Value, String> {
    let better = match text.to_lowercase().as_str() {
        "true" => return Ok(Value::Bool(true)),
        "false" => return Ok(Value::Bool(false)),
        "y" | "yes" | "on" => true,
        "n" | "no" | "off" => false,
        _ => return Err(format!("invalid boolean: {text}")),
    };
    warn(format!("{} for boolean is not supported by YAML 1.2, please use `{better}`", go::quote(text)));
    Ok(Node::new(better).value)
}
