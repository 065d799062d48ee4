{{- define "shop.image" -}}
{{- $image := .image -}}
{{- $registry := $image.registry | default .registry -}}
{{- printf "%s/%s:%s" $registry $image.repository $image.tag -}}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "shop.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}
