{{- define "shop.peers" -}}
- podSelector:
    matchLabels:
      app: {{ . }}
{{- end }}
