{{/* The pod of a Deployment. Takes top, role (worker or coordinator), pool (its name or nothing), devices, and spec: its values. */}}
{{- define "taba.podTemplate" -}}
{{- $top := .top -}}
{{- $values := .top.Values -}}
{{- $call := . -}}
{{- $fixed := printf "%s\n%s" (include "taba.selectorLabels" $top) (include "taba.roleLabels" .) | fromYaml -}}
{{- $annotations := dict "kubectl.kubernetes.io/default-container" "silo" -}}
metadata:
  # Not the chart's version: a new chart alone is no reason to start silos again.
  labels:
    {{- include "taba.merged" (list $values.commonLabels $values.podLabels .spec.podLabels $fixed) | nindent 4 }}
  annotations:
    {{- include "taba.merged" (list $annotations $values.commonAnnotations $values.podAnnotations .spec.podAnnotations) | nindent 4 }}
spec:
  serviceAccountName: {{ include "taba.serviceAccountName" $top }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add $values.cluster.drainFor 30 }}
  {{- include "taba.podSecurity" $top | nindent 2 }}
  {{- with get .spec "runtimeClassName" }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with .spec.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .spec.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .spec.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .spec.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .spec.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    - {{ toYaml . | nindent 6 | trim }}
      {{- if not (hasKey . "labelSelector") }}
      labelSelector:
        matchLabels:
          {{- include "taba.selectorLabels" $top | nindent 10 }}
          {{- include "taba.roleLabels" $call | nindent 10 }}
      {{- end }}
    {{- end }}
  {{- end }}
  containers:
    {{- range $index, $device := .devices }}
    {{- include "taba.container" (dict "call" $call "index" $index "device" $device) | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "taba.volumes" $top | nindent 4 }}
{{- end -}}

{{/* What tells the pods of one Deployment from those of another. */}}
{{- define "taba.roleLabels" -}}
app.kubernetes.io/component: {{ .role }}
{{- with get . "pool" }}
taba/pool: {{ . }}
{{- end }}
{{- end -}}

{{/* One silo with its device. Takes call (what the pod was given), index and device. */}}
{{- define "taba.container" -}}
{{- $top := .call.top -}}
{{- $values := $top.Values -}}
{{- $spec := .call.spec -}}
{{- $suffix := ternary "" (printf "-%d" (int .index)) (eq (int .index) 0) -}}
{{- $ports := dict -}}
{{- range $name, $port := $values.ports }}{{ $_ := set $ports $name (add $port $.index) }}{{ end -}}
{{- $prefix := include "taba.settingPrefix" $top -}}
- name: silo{{ $suffix }}
  image: {{ include "taba.image" $top }}
  imagePullPolicy: {{ $values.image.pullPolicy }}
  args:
    - --cluster
    - {{ $values.cluster.name }}
    - --role
    - {{ .call.role }}
    {{- with .device }}
    - --device
    - {{ . }}
    {{- end }}
    - --name
    - $(POD_NAME){{ $suffix }}
  env:
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    - name: POD_IP
      valueFrom:
        fieldRef:
          fieldPath: status.podIP
    {{- range $name, $value := include "taba.clusterSettings" $top | fromYaml }}
    - name: {{ $name }}
      value: {{ $value | quote }}
    {{- end }}
    - name: {{ $prefix }}Address
      value: $(POD_IP)
    - name: {{ $prefix }}SiloPort
      value: {{ $ports.silo | quote }}
    - name: {{ $prefix }}GatewayPort
      value: {{ $ports.gateway | quote }}
    - name: {{ $prefix }}DrainFor
      value: {{ include "taba.timeSpan" $values.cluster.drainFor | quote }}
    - name: Taba__Web__Address
      value: {{ $values.web.address | quote }}
    - name: Taba__Web__Port
      value: {{ $ports.http | quote }}
    - name: Taba__Web__OperationsPort
      value: {{ $ports.operations | quote }}
    - name: Taba__Web__TokenFile
      value: /run/secrets/taba/web-token
    - name: Taba__Logging__Format
      value: {{ $values.logging.format }}
    {{- range $key, $value := $values.settings }}
    - name: Taba__{{ $key | replace ":" "__" }}
      value: {{ include "taba.text" $value | quote }}
    {{- end }}
    - name: TMPDIR
      value: /tmp
    - name: HOME
      value: /var/lib/taba
    {{- with include "taba.hubEnv" $top | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with include "taba.otelEnv" $top | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with $values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with $spec.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    {{- range list "silo" "gateway" "http" "operations" }}
    - name: {{ . }}{{ $suffix }}
      containerPort: {{ index $ports . }}
    {{- end }}
  {{- range $probe := list "startup" "readiness" "liveness" }}
  {{ $probe }}Probe:
    httpGet:
      path: /health/{{ index (dict "startup" "startup" "readiness" "ready" "liveness" "live") $probe }}
      port: operations{{ $suffix }}
    {{- toYaml (index $values.probes $probe) | nindent 4 }}
  {{- end }}
  {{- $resources := deepCopy ($spec.resources | default dict) }}
  {{- with get $spec "gpu" }}
  {{- if and .resource (gt (int .count) 0) }}
  {{- $limits := get $resources "limits" | default dict }}
  {{- $_ := set $limits .resource (toString .count) }}
  {{- $_ := set $resources "limits" $limits }}
  {{- end }}
  {{- end }}
  {{- with $resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "taba.containerSecurity" . | nindent 2 }}
  volumeMounts:
    {{- include "taba.volumeMounts" (dict "top" $top "suffix" $suffix) | nindent 4 }}
{{- end -}}

{{/* Numbers of values are floats, and large ones would be printed with an exponent. */}}
{{- define "taba.text" -}}
{{- if not (kindIs "float64" .) }}{{ toString . }}{{ else if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{- define "taba.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 .Values.security.uid }}
  runAsGroup: {{ int64 .Values.security.gid }}
  fsGroup: {{ int64 .Values.security.fsGroup }}
  fsGroupChangePolicy: OnRootMismatch
  {{- with .Values.security.supplementalGroups }}
  supplementalGroups:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "taba.containerSecurity" -}}
securityContext:
  runAsNonRoot: true
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "taba.hubEnv" -}}
{{- if .Values.huggingFace.existingClaim }}
- name: HF_HOME
  value: {{ .Values.huggingFace.mountPath }}
- name: TABA_CACHE
  value: {{ .Values.huggingFace.mountPath }}/taba
{{- end }}
{{- if .Values.huggingFace.offline }}
- name: HF_HUB_OFFLINE
  value: "1"
{{- end }}
{{- if .Values.huggingFace.existingSecret }}
- name: HF_TOKEN_PATH
  value: /run/secrets/taba/hub-token
{{- end }}
{{- end -}}

{{- define "taba.otelEnv" -}}
{{- with .Values.otel }}
{{- if .endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: {{ .protocol }}
{{- if .headersExistingSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ .headersExistingSecret }}
      key: {{ .headersExistingSecretKey }}
{{- end }}
- name: K8S_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: K8S_NODE
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name=$(K8S_NAMESPACE),k8s.pod.name=$(POD_NAME),k8s.node.name=$(K8S_NODE)
{{- end }}
{{- end }}
{{- end -}}

{{/* Folders of one silo in the scratch volume are its own, so that silos of one pod do not meet there. */}}
{{- define "taba.volumeMounts" -}}
{{- $values := .top.Values -}}
- name: scratch
  mountPath: /tmp
  subPath: tmp{{ .suffix }}
- name: scratch
  mountPath: /var/lib/taba
  subPath: home{{ .suffix }}
- name: secrets
  mountPath: /run/secrets/taba
  readOnly: true
{{- if include "taba.storeClaim" .top }}
- name: store
  mountPath: {{ $values.store.pvc.mountPath }}
  {{- with $values.store.pvc.subPath }}
  subPath: {{ . }}
  {{- end }}
{{- end }}
{{- if $values.models.existingClaim }}
- name: models
  mountPath: {{ $values.models.mountPath }}
  readOnly: true
  {{- with $values.models.subPath }}
  subPath: {{ . }}
  {{- end }}
{{- end }}
{{- if $values.huggingFace.existingClaim }}
- name: hugging-face
  mountPath: {{ $values.huggingFace.mountPath }}
  {{- with $values.huggingFace.subPath }}
  subPath: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "taba.secretSource" -}}
- secret:
    name: {{ .name }}
    items:
      - key: {{ .key }}
        path: {{ .path }}
{{- end -}}

{{/* Takes Values, Chart and Release; and tlsSecret where it is not that of the silos. */}}
{{- define "taba.volumes" -}}
{{- $values := .Values -}}
- name: scratch
  {{- if $values.scratch.sizeLimit }}
  emptyDir:
    sizeLimit: {{ $values.scratch.sizeLimit }}
  {{- else }}
  emptyDir: {}
  {{- end }}
- name: secrets
  projected:
    # 0440: the group is fsGroup.
    defaultMode: 288
    sources:
      {{- if include "taba.usesDatabase" . }}
      {{- include "taba.secretSource" (dict "name" $values.database.existingSecret "key" $values.database.existingSecretKey
        "path" "database") | nindent 6 }}
      {{- end }}
      {{- include "taba.secretSource" (dict "name" $values.web.existingSecret "key" $values.web.existingSecretKey
        "path" "web-token") | nindent 6 }}
      {{- if and (include "taba.usesAzure" .) $values.azure.existingSecret }}
      {{- include "taba.secretSource" (dict "name" $values.azure.existingSecret "key" $values.azure.existingSecretKey
        "path" "azure") | nindent 6 }}
      {{- end }}
      {{- if $values.huggingFace.existingSecret }}
      {{- include "taba.secretSource" (dict "name" $values.huggingFace.existingSecret "key" $values.huggingFace.existingSecretKey
        "path" "hub-token") | nindent 6 }}
      {{- end }}
      {{- with get . "tlsSecret" | default $values.cluster.tls.existingSecret }}
      - secret:
          name: {{ . }}
          items:
            - key: tls.crt
              path: tls.crt
            - key: tls.key
              path: tls.key
            - key: ca.crt
              path: ca.crt
      {{- end }}
{{- with include "taba.storeClaim" . }}
- name: store
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- with $values.models.existingClaim }}
- name: models
  persistentVolumeClaim:
    claimName: {{ . }}
    readOnly: true
{{- end }}
{{- with $values.huggingFace.existingClaim }}
- name: hugging-face
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- with $values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
