{{- define "taba.name" -}}
{{- .Values.nameOverride | default .Chart.Name -}}
{{- end -}}

{{- define "taba.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains (include "taba.name" .) .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "taba.name" .) -}}
{{- end -}}
{{- end -}}

{{- define "taba.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "taba.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "taba.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What a selector holds: it cannot change while the release lives. */}}
{{- define "taba.selectorLabels" -}}
app.kubernetes.io/name: {{ include "taba.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Takes a list of maps; the later one wins. Nothing is printed for an empty map. */}}
{{- define "taba.merged" -}}
{{- $all := dict -}}
{{- range . }}{{ range $key, $value := (. | default dict) }}{{ $_ := set $all $key $value }}{{ end }}{{ end -}}
{{- with $all }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "taba.labels" -}}
{{ include "taba.selectorLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Takes top, name, component; and of that object alone labels, annotations, namespace. */}}
{{- define "taba.metadata" -}}
{{- $values := .top.Values -}}
{{- $own := get . "labels" -}}
{{- $component := hasKey . "component" | ternary (dict "app.kubernetes.io/component" (get . "component")) dict -}}
metadata:
  name: {{ .name }}
  namespace: {{ get . "namespace" | default .top.Release.Namespace }}
  labels:
    {{- include "taba.merged" (list $values.commonLabels $own (include "taba.labels" .top | fromYaml) $component) | nindent 4 }}
  {{- with include "taba.merged" (list $values.commonAnnotations (get . "annotations")) }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The pools as YAML: each with what it takes from poolDefaults. An empty value of a pool counts, so no merge of sprig's will do. */}}
{{- define "taba.pools" -}}
{{- $pools := dict -}}
{{- $defaults := .Values.poolDefaults -}}
{{- range $name, $given := .Values.pools -}}
{{- $pool := deepCopy $defaults -}}
{{- range $key, $value := ($given | default dict) -}}
{{- if has $key (list "gpu" "autoscaling") -}}
{{- range $below, $inner := $value }}{{ $_ := set (index $pool $key) $below $inner }}{{ end -}}
{{- else -}}
{{- $_ := set $pool $key $value -}}
{{- end -}}
{{- end -}}
{{- $_ := set $pools $name $pool -}}
{{- end -}}
{{- toYaml $pools -}}
{{- end -}}

{{/* The most devices of one pod: so many ports of each kind are in use. */}}
{{- define "taba.devicesPerPod" -}}
{{- $most := 1 -}}
{{- range $name, $pool := include "taba.pools" . | fromYaml }}{{ $most = max $most (len $pool.devices) }}{{ end -}}
{{- $most -}}
{{- end -}}

{{/* Whether silos meet in a database with a connection string of its own: "yes" or nothing. */}}
{{- define "taba.usesDatabase" -}}
{{- if ne .Values.database.provider "azure" }}yes{{ end -}}
{{- end -}}

{{/* Whether an account of Azure storage is used: "yes" or nothing. */}}
{{- define "taba.usesAzure" -}}
{{- if or .Values.store.azure.container (ne .Values.cluster.grainState "auto") (not (include "taba.usesDatabase" .)) }}yes{{ end -}}
{{- end -}}

{{- define "taba.storeClaim" -}}
{{- $made := printf "%s-store" (include "taba.fullname" .) -}}
{{- .Values.store.pvc.existingClaim | default (ternary $made "" .Values.store.pvc.create.enabled) -}}
{{- end -}}

{{- define "taba.settingPrefix" -}}
{{- printf "Taba__Clusters__%s__" .Values.cluster.name -}}
{{- end -}}

{{/* Settings that silos and clients share, as YAML. */}}
{{- define "taba.clusterSettings" -}}
{{- $prefix := include "taba.settingPrefix" . -}}
{{ $prefix }}Provider: {{ .Values.database.provider }}
{{- if include "taba.usesDatabase" . }}
{{ $prefix }}ConnectionStringFile: /run/secrets/taba/database
{{- end }}
{{- with .Values.store }}
{{ $prefix }}Store: {{ if .azure.container }}azure:{{ .azure.container }}{{ else }}{{ .pvc.mountPath }}{{ end }}
{{- end }}
{{ $prefix }}GrainState: {{ .Values.cluster.grainState }}
{{- with .Values.cluster.clusterId }}
{{ $prefix }}ClusterId: {{ . | quote }}
{{- end }}
{{- with .Values.cluster.serviceId }}
{{ $prefix }}ServiceId: {{ . | quote }}
{{- end }}
{{- if .Values.cluster.tls.existingSecret }}
{{ $prefix }}Tls__CertificateFile: /run/secrets/taba/tls.crt
{{ $prefix }}Tls__KeyFile: /run/secrets/taba/tls.key
{{ $prefix }}Tls__AuthorityFile: /run/secrets/taba/ca.crt
{{- end }}
{{- if include "taba.usesAzure" . }}
{{- if .Values.azure.accountUri }}
{{ $prefix }}AzureAccountUri: {{ .Values.azure.accountUri }}
{{- with .Values.azure.tableUri }}
{{ $prefix }}AzureTableUri: {{ . }}
{{- end }}
{{- else }}
{{ $prefix }}AzureConnectionStringFile: /run/secrets/taba/azure
{{- end }}
{{- end }}
{{- end -}}

{{/* Seconds as .NET writes a time span. */}}
{{- define "taba.timeSpan" -}}
{{- $seconds := int . -}}
{{- printf "%02d:%02d:%02d" (div $seconds 3600) (div (mod $seconds 3600) 60) (mod $seconds 60) -}}
{{- end -}}
