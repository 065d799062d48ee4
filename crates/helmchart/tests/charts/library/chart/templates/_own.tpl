{{- define "over" }}from chart{{ end -}}
