{{- define "lib.meta" -}}
name: {{ .Release.Name }}-{{ .Chart.Name }}
{{- end -}}
{{- define "over" }}from library{{ end -}}
