{{- define "image" -}}
{{ .registry }}/{{ .repository }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
