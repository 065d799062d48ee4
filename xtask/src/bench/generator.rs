//! Workspaces of any size: what grows in them is the number of profiles and of services, nothing else.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use sha2::{Digest as _, Sha256};

/// A workspace that is in line: `profiles` profiles, every other one Helm, each with all `services` of one release.
pub(crate) fn workspace(root: &Utf8Path, profiles: usize, services: usize) -> Result<()> {
    let mut release = "\
schema: 1
version: 1.0.0
calendar: \"2026.01\"
channel: stable
date: 2026-01-01T00:00:00Z
digests: resolved
components:
"
    .to_owned();
    for service in 0..services {
        writeln!(
            release,
            "  service-{service}:\n    image: {}\n    tag: 1.0.0\n    digest: {}",
            repository(service),
            digest(service)
        )?;
    }
    write(root, "releases/stable.yaml", &release)?;

    let mut workspace = "schema: 1\nchannels:\n  stable: {release: releases/stable.yaml}\nprofiles:\n".to_owned();
    for profile in 0..profiles {
        let name = format!("p{profile:04}");
        if profile % 2 == 0 {
            write(root, &format!("compose/{name}.yaml"), &compose(&name, services))?;
            writeln!(workspace, "  compose/{name}:\n    channel: stable\n    compose: [compose/{name}.yaml]")?;
        } else {
            write(root, &format!("chart/values-{name}.yaml"), &values(services))?;
            writeln!(
                workspace,
                "  helm/{name}:\n    channel: stable\n    chart: chart\n    values: [chart/values-{name}.yaml]\n    release_name: {name}\n    \
                 namespace: {name}"
            )?;
        }
    }
    write(root, "collimate.yaml", &workspace)?;
    write(root, "chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\nappVersion: 1.0.0\n")?;
    write(root, "chart/values.yaml", "services: {}\n")?;
    write(root, "chart/templates/_helpers.tpl", HELPERS)?;
    write(root, "chart/templates/services.yaml", SERVICES)
}

/// A folder with one Compose file.
pub(crate) fn compose_project(root: &Utf8Path, services: usize) -> Result<()> {
    write(root, "compose.yaml", &compose("large", services))
}

const HELPERS: &str = r#"{{- define "chart.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{- define "chart.image" -}}
{{- printf "%s/%s:%s@%s" .registry .repository .tag .digest -}}
{{- end }}
"#;

const SERVICES: &str = r#"{{- range $name, $service := .Values.services }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "chart.labels" (dict "name" $name "root" $) | nindent 4 }}
spec:
  replicas: {{ $service.replicas | default 1 }}
  selector:
    matchLabels:
      app.kubernetes.io/name: {{ $name }}
  template:
    metadata:
      labels:
        {{- include "chart.labels" (dict "name" $name "root" $) | nindent 8 }}
    spec:
      containers:
        - name: main
          image: {{ include "chart.image" $service.image }}
          {{- with $service.env }}
          env:
            {{- range $key, $value := . }}
            - name: {{ $key }}
              value: {{ $value | quote }}
            {{- end }}
          {{- end }}
          resources:
            {{- toYaml $service.resources | nindent 12 }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels:
    {{- include "chart.labels" (dict "name" $name "root" $) | nindent 4 }}
spec:
  selector:
    app.kubernetes.io/name: {{ $name }}
  ports:
    - name: http
      port: 8080
{{- end }}
"#;

fn compose(name: &str, services: usize) -> String {
    let mut text = format!(
        "name: {name}\n\nx-service: &service\n  restart: unless-stopped\n  read_only: true\n  cap_drop: [ALL]\n  networks: [inner]\n  logging:\n    \
         driver: json-file\n    options: {{max-size: 10m, max-file: \"3\"}}\n\nservices:\n"
    );
    for service in 0..services {
        text.push_str(&format!(
            "  service-{service}:\n    <<: *service\n    image: {}:1.0.0@{}\n    environment:\n      SERVICE_NAME: service-{service}\n      LOG_LEVEL: \
             ${{LOG_LEVEL:-info}}\n      UPSTREAM: http://service-{}:8080\n    volumes:\n      - data-{service}:/data\n    labels:\n      \
             org.example.service: service-{service}\n",
            repository(service),
            digest(service),
            (service + 1) % services.max(1)
        ));
        if service > 0 {
            text.push_str(&format!("    depends_on: [service-{}]\n", service / 2));
        }
    }
    text.push_str("\nnetworks:\n  inner: {}\n\nvolumes:\n");
    for service in 0..services {
        text.push_str(&format!("  data-{service}: {{}}\n"));
    }
    text
}

fn values(services: usize) -> String {
    let mut text = "services:\n".to_owned();
    for service in 0..services {
        let repository = repository(service);
        let (registry, path) = repository.split_once('/').unwrap_or(("", &repository));
        text.push_str(&format!(
            "  service-{service}:\n    replicas: 2\n    image:\n      registry: {registry}\n      repository: {path}\n      tag: 1.0.0\n      digest: {}\n    \
             env:\n      SERVICE_NAME: service-{service}\n      LOG_LEVEL: info\n    resources:\n      limits: {{cpu: 500m, memory: 256Mi}}\n      \
             requests: {{cpu: 50m, memory: 64Mi}}\n",
            digest(service)
        ));
    }
    text
}

fn repository(service: usize) -> String {
    format!("registry.example.org/product/service-{service}")
}

fn digest(service: usize) -> String {
    let hash = Sha256::digest(format!("{}:1.0.0", repository(service)));
    format!("sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn write(root: &Utf8Path, path: &str, text: &str) -> Result<()> {
    let path = root.join(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create `{folder}`"))?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write `{path}`"))
}
