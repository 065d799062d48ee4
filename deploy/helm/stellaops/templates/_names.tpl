{{/*
Names and labels.

Most templates here take a list, (list $ "scanner-web"): the root and the name of one service or store.
*/}}

{{/* Name of an object: the release, shortened so that any suffix still fits into 63 characters, then the component. */}}
{{- define "stellaops.fullname" -}}
{{- $root := index . 0 -}}
{{- $base := $root.Release.Name -}}
{{- if not (contains $root.Chart.Name $base) -}}
{{- $base = printf "%s-%s" $base $root.Chart.Name -}}
{{- end -}}
{{- $base = $base | trunc 40 | trimSuffix "-" -}}
{{- if gt (len .) 1 -}}
{{- printf "%s-%s" $base (index . 1) -}}
{{- else -}}
{{- $base -}}
{{- end -}}
{{- end }}

{{/* What selects the pods of a component. Never changes: a Deployment's selector is immutable. */}}
{{- define "stellaops.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* All labels of an object. The release labels come from `release` in the values and from nowhere else. */}}
{{- define "stellaops.labels" -}}
{{- $root := index . 0 -}}
{{- with $root.Values.release -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
app: {{ include "stellaops.fullname" $ }}
{{ include "stellaops.selectorLabels" $ }}
app.kubernetes.io/part-of: stellaops
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ required "choose a profile: --values values-stage.yaml, for example" .version | quote }}
org.stellaops.release.channel: {{ .channel | quote }}
org.stellaops.release.version: {{ .version | quote }}
org.stellaops.release.profile: {{ .profile | quote }}
{{- end -}}
{{- end }}

{{/*
Labels of a store's pods. Without the release labels: a store must not be restarted because the services around it
have a new version.
*/}}
{{- define "stellaops.storePodLabels" -}}
app: {{ include "stellaops.fullname" . }}
{{ include "stellaops.selectorLabels" . }}
app.kubernetes.io/part-of: stellaops
{{- end }}

{{- define "stellaops.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- include "stellaops.fullname" (list .) -}}
{{- else -}}
default
{{- end -}}
{{- end }}

{{/* URL of a service inside the cluster. */}}
{{- define "stellaops.url" -}}
http://{{ include "stellaops.fullname" . }}:8080
{{- end }}

{{/* Port of a store, the one that services connect to. */}}
{{- define "stellaops.storePort" -}}
{{- get (dict "mongo" "27017" "redis" "6379" "nats" "4222" "rustfs" "9000" "minio" "9000") . -}}
{{- end }}
