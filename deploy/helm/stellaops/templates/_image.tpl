{{/*
The one place that puts an image reference together, from {registry, repository, tag, digest}: tag and digest are
both optional, and the digest is what counts where both are given.
*/}}
{{- define "stellaops.image" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- with required (printf "values: images.%s is missing" $name) (get $root.Values.images $name) -}}
{{ .registry }}/{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end }}
