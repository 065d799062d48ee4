{{/*
What one service of the stack needs, derived from its entry in `services`: (list $ name).
*/}}

{{/* Stores that a service connects to, as a comma-separated list: templates can return text only. */}}
{{- define "stellaops.storesOf" -}}
{{- $root := index . 0 -}}
{{- $service := get $root.Values.services (index . 1) -}}
{{- $stores := list -}}
{{- if $service.database }}{{ $stores = append $stores "mongo" }}{{ end -}}
{{- if or $service.events $service.cache }}{{ $stores = append $stores "redis" }}{{ end -}}
{{- if $service.queue }}{{ $stores = append $stores "nats" }}{{ end -}}
{{- if $service.bucket }}{{ $stores = append $stores $root.Values.artifactStore.store }}{{ end -}}
{{- join "," $stores -}}
{{- end }}

{{/* Services that call a service, as a comma-separated list. */}}
{{- define "stellaops.callersOf" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $callers := list -}}
{{- range $caller, $service := $root.Values.services -}}
{{- if has $name ($service.calls | default list) }}{{ $callers = append $callers $caller }}{{ end -}}
{{- end -}}
{{- if and $root.Values.mirror.enabled (dig $name "exports" false $root.Values.services) }}{{ $callers = append $callers "mirror-gateway" }}{{ end -}}
{{- join "," $callers -}}
{{- end }}

{{/* Services that use a store, as a comma-separated list. */}}
{{- define "stellaops.usersOf" -}}
{{- $root := index . 0 -}}
{{- $store := index . 1 -}}
{{- $users := list -}}
{{- range $name, $_ := $root.Values.services -}}
{{- if has $store (include "stellaops.storesOf" (list $root $name) | splitList ",") }}{{ $users = append $users $name }}{{ end -}}
{{- end -}}
{{- join "," $users -}}
{{- end }}

{{/* Whether replicas come from an autoscaler: "true" or nothing. */}}
{{- define "stellaops.autoscaled" -}}
{{- $root := index . 0 -}}
{{- $service := get $root.Values.services (index . 1) -}}
{{- if and $root.Values.autoscaling.enabled $service.autoscaling -}}true{{- end -}}
{{- end }}

{{/*
Settings that contain a secret. Kubernetes expands $(NAME) from entries further up, so a connection string holds no
password here. Everything else is in the ConfigMap of the service.
*/}}
{{- define "stellaops.secretSettings" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $service := get $root.Values.services $name -}}
{{- if $service.database }}
{{ include "stellaops.envFromSecret" (list $root "MONGO_USERNAME" "mongo" "username") }}
{{ include "stellaops.envFromSecret" (list $root "MONGO_PASSWORD" "mongo" "password") }}
- name: {{ $service.prefix }}__STORAGE__MONGO__CONNECTIONSTRING
  value: mongodb://$(MONGO_USERNAME):$(MONGO_PASSWORD)@{{ include "stellaops.fullname" (list $root "mongo") }}:27017/?authSource=admin
{{- end }}
{{- if or $service.events $service.cache }}
{{ include "stellaops.envFromSecret" (list $root "REDIS_PASSWORD" "redis" "password") }}
{{- end }}
{{- if $service.cache }}
- name: {{ $service.prefix }}__CACHE__REDIS__CONNECTIONSTRING
  value: redis://default:$(REDIS_PASSWORD)@{{ include "stellaops.fullname" (list $root "redis") }}:6379/0
{{- end }}
{{- if $service.events }}
- name: STELLAOPS__EVENTS__DSN
  value: redis://default:$(REDIS_PASSWORD)@{{ include "stellaops.fullname" (list $root "redis") }}:6379/0
{{- end }}
{{- if $service.queue }}
{{ include "stellaops.envFromSecret" (list $root "NATS_USERNAME" "nats" "username") }}
{{ include "stellaops.envFromSecret" (list $root "NATS_PASSWORD" "nats" "password") }}
- name: {{ $service.prefix }}__QUEUE__BROKER
  value: nats://$(NATS_USERNAME):$(NATS_PASSWORD)@{{ include "stellaops.fullname" (list $root "nats") }}:4222
{{- end }}
{{- if $service.bucket }}
{{ include "stellaops.envFromSecret" (list $root "STELLAOPS__ARTIFACTSTORE__ACCESSKEYID" "artifactStore" "access-key") }}
{{ include "stellaops.envFromSecret" (list $root "STELLAOPS__ARTIFACTSTORE__SECRETACCESSKEY" "artifactStore" "secret-key") }}
{{- end }}
{{- if $service.client }}
{{ include "stellaops.envFromSecret" (list $root (printf "%s__CLIENT__SECRET" $service.prefix) "clients" $name) }}
{{- end }}
{{- range $variable, $from := $service.secretEnv }}
{{ include "stellaops.envFromSecret" (list $root $variable $from.secret $from.key) }}
{{- end }}
{{- end }}

{{/* Settings without a secret: the data of the service's ConfigMap. Quoted, since a ConfigMap holds text only. */}}
{{- define "stellaops.plainSettings" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $service := get $root.Values.services $name -}}
{{- if $service.database }}
{{ $service.prefix }}__STORAGE__MONGO__DATABASE: {{ $service.database | quote }}
{{- end }}
{{- if $service.queue }}
{{ $service.prefix }}__QUEUE__SUBJECT: {{ $service.queue | quote }}
{{- end }}
{{- if $service.events }}
STELLAOPS__EVENTS__DRIVER: "redis"
STELLAOPS__EVENTS__STREAM: {{ $root.Values.events.stream | quote }}
STELLAOPS__EVENTS__MAXLENGTH: {{ $root.Values.events.maxLength | quote }}
{{- end }}
{{- with $service.bucket }}
STELLAOPS__ARTIFACTSTORE__DRIVER: {{ $root.Values.artifactStore.driver | quote }}
STELLAOPS__ARTIFACTSTORE__ENDPOINT: {{ printf "http://%s:9000" (include "stellaops.fullname" (list $root $root.Values.artifactStore.store)) | quote }}
STELLAOPS__ARTIFACTSTORE__BUCKET: {{ . | quote }}
STELLAOPS__ARTIFACTSTORE__TIMEOUTSECONDS: "30"
{{- end }}
{{- if $service.client }}
{{ $service.prefix }}__CLIENT__ID: {{ $name | quote }}
{{- end }}
{{- if $service.keys }}
{{ $service.prefix }}__{{ eq $name "authority" | ternary "SIGNING__KEYDIRECTORY" "KEYS__DIRECTORY" }}: "/var/lib/stellaops/{{ $name }}/keys"
{{- end }}
{{- range $variable, $value := $service.env }}
{{ $variable }}: {{ tpl (toString $value) $root | quote }}
{{- end }}
{{- with $service.envFile }}
{{- range $root.Files.Lines . }}
{{- if and . (not (hasPrefix "#" .)) }}
{{- $setting := splitn "=" 2 . }}
{{ $setting._0 }}: {{ $setting._1 | trimAll "\"" | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
