{{- define "shop.drawn" -}}
{{- randAlphaNum 24 -}}
{{- end -}}
{{- define "shop.written" -}}
hunter2-of-a-helper
{{- end -}}
