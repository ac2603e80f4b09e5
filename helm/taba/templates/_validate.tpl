{{/*
What the schema cannot say. Every sentence names the value and what would do. The first one that holds ends the rendering.
*/}}
{{- define "taba.validate" -}}
{{- $values := .Values -}}

{{- /* Keys that this chart does not have, or has no more, and what took their place. The schema lets them through to here. */ -}}
{{- $removed := dict
  "replicaCount" "pools.<name>.replicas and coordinators.replicas"
  "autoscaling" "pools.<name>.autoscaling"
  "resources" "pools.<name>.resources and coordinators.resources"
  "nodeSelector" "pools.<name>.nodeSelector and coordinators.nodeSelector"
  "tolerations" "pools.<name>.tolerations and coordinators.tolerations"
  "affinity" "pools.<name>.affinity and coordinators.affinity"
  "env" "extraEnv, or settings for those of Taba"
  "persistence" "store.pvc"
  "postgresql" "database.existingSecret: no database is bundled"
  "redis" "database.existingSecret with database.provider: redis: no database is bundled"
  "serviceMonitor" "monitoring.podMonitor"
  "tls" "cluster.tls.existingSecret between silos, and ingress.tls for the web page"
  "database.connectionString" "database.existingSecret: a secret does not belong into values"
  "azure.connectionString" "azure.existingSecret: a secret does not belong into values"
  "huggingFace.token" "huggingFace.existingSecret: a secret does not belong into values"
  "web.token" "web.existingSecret: a secret does not belong into values"
  "store.path" "store.pvc.mountPath" -}}
{{- range $path, $instead := $removed -}}
{{- $at := $values -}}
{{- $found := true -}}
{{- range $key := splitList "." $path -}}
{{- $found = and $found (kindIs "map" $at) (hasKey $at $key) -}}
{{- if $found }}{{ $at = index $at $key }}{{ end -}}
{{- end -}}
{{- if $found -}}
{{- fail (printf "%s is no value of this chart: use %s." $path $instead) -}}
{{- end -}}
{{- end -}}

{{- if gt (len (include "taba.fullname" .)) 27 -}}
{{- fail (printf "The name %s is longer than 27 characters: set fullnameOverride." (include "taba.fullname" .)) -}}
{{- end -}}
{{- if not $values.image.repository -}}
{{- fail "image.repository is missing: name the image of the silo." -}}
{{- end -}}
{{- if and $values.database.existingSecret (not (include "taba.usesDatabase" .)) -}}
{{- fail "database.existingSecret is set and database.provider is azure: the account is opened by azure.accountUri or azure.existingSecret." -}}
{{- end -}}
{{- if and (include "taba.usesDatabase" .) (not $values.database.existingSecret) -}}
{{- fail (printf "database.existingSecret is missing: name a secret that holds the connection string of %s under the key %s."
  $values.database.provider $values.database.existingSecretKey) -}}
{{- end -}}
{{- if and $values.cluster.tls.clientExistingSecret (not $values.cluster.tls.existingSecret) -}}
{{- fail "cluster.tls.clientExistingSecret is set and cluster.tls.existingSecret is not: silos must have certificates too." -}}
{{- end -}}
{{- if not $values.web.existingSecret -}}
{{- fail (printf "web.existingSecret is missing: name a secret that holds a token of at least 16 characters under the key %s."
  $values.web.existingSecretKey) -}}
{{- end -}}

{{- if and $values.store.azure.container (include "taba.storeClaim" .) -}}
{{- fail "store.pvc and store.azure are both set: a cluster has one store." -}}
{{- end -}}
{{- if and $values.store.pvc.existingClaim $values.store.pvc.create.enabled -}}
{{- fail "store.pvc.existingClaim and store.pvc.create.enabled are both set: use a claim that exists, or let the chart make one." -}}
{{- end -}}
{{- if not (or $values.store.azure.container (include "taba.storeClaim" .)) -}}
{{- fail "No store is set: set store.pvc.existingClaim, store.pvc.create.enabled or store.azure.container." -}}
{{- end -}}
{{- if and $values.azure.accountUri $values.azure.existingSecret -}}
{{- fail "azure.accountUri and azure.existingSecret are both set: sign in with an identity, or with a connection string." -}}
{{- end -}}
{{- if and $values.azure.tableUri (or (include "taba.usesDatabase" .) (not $values.azure.accountUri)) -}}
{{- fail "azure.tableUri is set: it belongs to database.provider azure with azure.accountUri." -}}
{{- end -}}
{{- if and (include "taba.usesAzure" .) (not (or $values.azure.accountUri $values.azure.existingSecret)) -}}
{{- fail "An account of Azure storage is used, and nothing is set to sign in with: set azure.accountUri or azure.existingSecret." -}}
{{- end -}}
{{- if and (not (include "taba.usesAzure" .)) (or $values.azure.accountUri $values.azure.existingSecret) -}}
{{- fail "azure is set and nothing uses it: set database.provider, store.azure.container or cluster.grainState, or leave azure out." -}}
{{- end -}}

{{- if not (or $values.coordinators.enabled $values.pools) -}}
{{- fail "There is no pool and no coordinator: add a pool to pools, or set coordinators.enabled." -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) -}}
{{- fail "ingress.enabled is true and ingress.hosts is empty: name a host." -}}
{{- end -}}
{{- if and $values.otel.headersExistingSecret (not $values.otel.endpoint) -}}
{{- fail "otel.headersExistingSecret is set and otel.endpoint is not: name the endpoint." -}}
{{- end -}}

{{- $devices := include "taba.devicesPerPod" . | int -}}
{{- range $one, $port := $values.ports -}}
{{- range $other, $second := $values.ports -}}
{{- if and (lt $one $other) (lt (int (sub $port $second | toString | trimPrefix "-")) $devices) -}}
{{- fail (printf "ports.%s and ports.%s are too close: a pod of %d devices takes as many ports of each, from that number up."
  $one $other $devices) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- range $name, $pool := include "taba.pools" . | fromYaml -}}
{{- $asked := and $pool.gpu.resource (gt (int $pool.gpu.count) 0) -}}
{{- range $device := $pool.devices -}}
{{- if and $asked (eq $device "cpu") -}}
{{- fail (printf "pools.%s.devices names cpu, and each of its containers asks for a GPU: set pools.%s.gpu.count to 0." $name $name) -}}
{{- end -}}
{{- if and $asked (hasPrefix "cuda:" $device) (ge (trimPrefix "cuda:" $device | int) (int $pool.gpu.count)) -}}
{{- fail (printf "pools.%s.devices names %s, but each container is given %d of %s and numbers them from 0: name cuda:0 once for each GPU."
  $name $device (int $pool.gpu.count) $pool.gpu.resource) -}}
{{- end -}}
{{- end -}}
{{- with $pool.autoscaling -}}
{{- if .enabled -}}
{{- if not .serverAddress -}}
{{- fail (printf "pools.%s.autoscaling.serverAddress is missing: name the Prometheus that KEDA asks." $name) -}}
{{- end -}}
{{- if lt (int .maxReplicas) (int .minReplicas) -}}
{{- fail (printf "pools.%s.autoscaling.maxReplicas is %d, below minReplicas, which is %d." $name (int .maxReplicas) (int .minReplicas)) -}}
{{- end -}}
{{- if and (eq (int .minReplicas) 0) (not $values.coordinators.enabled) -}}
{{- fail (printf "pools.%s.autoscaling.minReplicas is 0 without coordinators: nobody would say that work waits. Set coordinators.enabled."
  $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
