{{/*
What all pods have in common: identity, hardening, size, placement.
*/}}

{{/* (list $ component user group) */}}
{{- define "stellaops.podSettings" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ include "stellaops.serviceAccountName" $root }}
# No pod of the stack calls the Kubernetes API.
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ index . 2 }}
  runAsGroup: {{ index . 3 }}
  fsGroup: {{ index . 3 }}
  # Large volumes would take minutes to start otherwise.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "stellaops.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{/* (list $ size) */}}
{{- define "stellaops.resources" -}}
{{- $root := index . 0 -}}
{{- get $root.Values.sizes (index . 1) | toYaml -}}
{{- end }}

{{/* (list $ ENV_NAME secret key), where `secret` is a key of `secrets` in the values */}}
{{- define "stellaops.envFromSecret" -}}
{{- $root := index . 0 -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ required (printf "values: secrets.%s is missing" (index . 2)) (get $root.Values.secrets (index . 2)) }}
      key: {{ index . 3 }}
{{- end }}

{{/*
An init container that waits until the given host:port pairs answer, as `depends_on` with a condition does in
Compose: (list $ targets). Services retry calls to each other by themselves; without its stores none can start.
*/}}
{{- define "stellaops.waitFor" -}}
{{- $root := index . 0 -}}
- name: wait-for-stores
  image: {{ include "stellaops.image" (list $root "nginx") }}
  command:
    - /bin/sh
    - -ec
    - |
      for target in {{ join " " (index . 1) }}; do
        until nc -z -w 2 "${target%:*}" "${target#*:}"; do
          echo "waiting for $target"
          sleep 2
        done
      done
  securityContext:
    {{- include "stellaops.containerSecurity" $root | nindent 4 }}
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {cpu: 100m, memory: 32Mi}
{{- end }}
