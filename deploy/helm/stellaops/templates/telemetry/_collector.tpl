{{/* File exporters of the collector, as a list with spaces: where there is one, it needs a place to write to. */}}
{{- define "stellaops.collectorFiles" -}}
{{- range $name, $_ := .Values.telemetry.collector.config.exporters -}}
{{- if hasPrefix "file/" $name }}{{ $name }} {{ end -}}
{{- end -}}
{{- end }}
