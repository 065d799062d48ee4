{{/*
StatefulSet and Service of one store: (list $ name ports mounts container), where `ports` is a dict of name to number,
`mounts` a dict of path to volume (`data` is kept, `tmp` is not), and `container` the text of what only this store
has: command, environment, probes.
*/}}
{{- define "stellaops.store" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $ports := index . 2 -}}
{{- $mounts := index . 3 -}}
{{- $container := index . 4 -}}
{{- $store := get $root.Values.stores $name -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "stellaops.fullname" (list $root $name) }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "stellaops.labels" (list $root $name) | nindent 4 }}
spec:
  # Headless: there is one instance, and clients reach it by its own address.
  clusterIP: None
  selector:
    {{- include "stellaops.selectorLabels" (list $root $name) | nindent 4 }}
  ports:
    {{- range $port, $number := $ports }}
    - name: {{ $port }}
      port: {{ $number }}
      targetPort: {{ $port }}
      protocol: TCP
    {{- end }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "stellaops.fullname" (list $root $name) }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "stellaops.labels" (list $root $name) | nindent 4 }}
spec:
  serviceName: {{ include "stellaops.fullname" (list $root $name) }}
  replicas: {{ $store.replicas }}
  selector:
    matchLabels:
      {{- include "stellaops.selectorLabels" (list $root $name) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "stellaops.storePodLabels" (list $root $name) | nindent 8 }}
      {{- with $root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "stellaops.podSettings" (list $root $name $store.user $store.group) | nindent 6 }}
      terminationGracePeriodSeconds: 60
      containers:
        - name: {{ $name }}
          image: {{ include "stellaops.image" (list $root $name) }}
          imagePullPolicy: IfNotPresent
          {{- $container | trim | nindent 10 }}
          ports:
            {{- range $port, $number := $ports }}
            - name: {{ $port }}
              containerPort: {{ $number }}
              protocol: TCP
            {{- end }}
          securityContext:
            {{- include "stellaops.containerSecurity" $root | nindent 12 }}
          resources:
            {{- include "stellaops.resources" (list $root $store.size) | nindent 12 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            {{- range $path, $volume := $mounts }}
            - name: {{ $volume }}
              mountPath: {{ $path }}
              {{- if eq $volume "tmp" }}
              subPath: {{ base $path }}
              {{- end }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir:
            sizeLimit: 256Mi
        {{- with $store.claim }}
        - name: data
          persistentVolumeClaim:
            claimName: {{ . }}
        {{- end }}
  {{- if not $store.claim }}
  volumeClaimTemplates:
    - metadata:
        name: data
        # No release labels: this part of a StatefulSet cannot be changed by an upgrade.
        labels:
          {{- include "stellaops.selectorLabels" (list $root $name) | nindent 10 }}
      spec:
        accessModes:
          - ReadWriteOnce
        {{- with $store.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ $store.storage }}
  {{- else }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ $store.claim }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "stellaops.labels" (list $root $name) | nindent 4 }}
  annotations:
    # `helm uninstall` leaves data alone.
    helm.sh/resource-policy: keep
spec:
  accessModes:
    - ReadWriteOnce
  {{- with $store.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ $store.storage }}
  {{- end }}
{{- end }}
