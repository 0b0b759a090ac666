{{- define "dateline.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "dateline.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Labels that never change: selectors use them. Takes (root, process). */}}
{{- define "dateline.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: dateline
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "dateline.labels" -}}
{{- $root := index . 0 -}}
{{ include "dateline.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
{{- end -}}

{{/* The port of /metrics, /healthz and /readyz, as in configs/dateline.toml. */}}
{{- define "dateline.port" -}}
{{- get (dict "collector" "29101" "worker" "29102" "indexer" "29103" "notifier" "29104" "console" "29106") . -}}
{{- end -}}

{{- define "dateline.usesElasticsearch" -}}
{{- if has . (list "indexer" "console" "setup" "operator") -}}yes{{- end -}}
{{- end -}}

{{/* The environment of a container. Takes (root, process, the process whose Elasticsearch key it has). */}}
{{- define "dateline.env" -}}
{{- $root := index . 0 -}}
{{- $process := index . 1 -}}
{{- $kafka := $root.Values.kafka -}}
{{- $elastic := $root.Values.elasticsearch -}}
- name: DATELINE_KAFKA_BOOTSTRAP_SERVERS
  value: {{ required "kafka.bootstrapServers: give the addresses of the brokers" $kafka.bootstrapServers | quote }}
- name: DATELINE_KAFKA_PARTITIONS
  value: {{ $kafka.partitions | quote }}
- name: DATELINE_KAFKA_REPLICATION_FACTOR
  value: {{ $kafka.replicationFactor | quote }}
- name: DATELINE_KAFKA_SECURITY_PROTOCOL
  value: {{ $kafka.securityProtocol }}
{{- if hasPrefix "SASL" $kafka.securityProtocol }}
- name: DATELINE_KAFKA_SASL_MECHANISM
  value: {{ $kafka.saslMechanism }}
- name: DATELINE_KAFKA_USERNAME
  value: {{ printf "%s%s" $kafka.userPrefix $process }}
- name: DATELINE_KAFKA_PASSWORD_FILE
  value: /run/kafka/{{ $kafka.passwordKey }}
{{- end }}
{{- if eq $kafka.securityProtocol "SSL" }}
- name: DATELINE_KAFKA_CERTIFICATE_FILE
  value: /run/kafka/{{ $kafka.certificateKey }}
- name: DATELINE_KAFKA_KEY_FILE
  value: /run/kafka/{{ $kafka.keyKey }}
{{- end }}
{{- if and $kafka.caSecret (hasSuffix "SSL" $kafka.securityProtocol) }}
- name: DATELINE_KAFKA_CA_FILE
  value: /run/kafka-ca/{{ $kafka.caKey }}
{{- end }}
{{- if include "dateline.usesElasticsearch" $process }}
- name: DATELINE_ELASTICSEARCH_URL
  value: {{ required "elasticsearch.url: give the address of Elasticsearch" $elastic.url | quote }}
- name: DATELINE_ELASTICSEARCH_INDEX_PREFIX
  value: {{ $elastic.indexPrefix }}
- name: DATELINE_ELASTICSEARCH_SHARDS
  value: {{ $elastic.shards | quote }}
- name: DATELINE_ELASTICSEARCH_REPLICAS
  value: {{ $elastic.replicas | quote }}
{{- if $elastic.apiKeySecretPrefix }}
- name: DATELINE_ELASTICSEARCH_API_KEY_FILE
  value: /run/elasticsearch/{{ $elastic.apiKeyKey }}
{{- end }}
{{- if $elastic.caSecret }}
- name: DATELINE_ELASTICSEARCH_CA_FILE
  value: /run/elasticsearch-ca/{{ $elastic.caKey }}
{{- end }}
{{- end }}
{{- if and (has $process (list "indexer" "operator")) $root.Values.snapshots.repository }}
{{- with $root.Values.snapshots }}
- name: DATELINE_SNAPSHOTS_REPOSITORY
  value: {{ .repository }}
- name: DATELINE_SNAPSHOTS_LOCATION
  value: {{ .location | quote }}
- name: DATELINE_SNAPSHOTS_INTERVAL_HOURS
  value: {{ .intervalHours | quote }}
- name: DATELINE_SNAPSHOTS_KEEP
  value: {{ .keep | quote }}
{{- end }}
{{- end }}
{{- if eq $process "console" }}
- name: DATELINE_CONSOLE_HOST
  value: 0.0.0.0
- name: DATELINE_CONSOLE_USERS_FILE
  value: /run/console/users.toml
{{- with $root.Values.console.sessionKey }}
- name: DATELINE_CONSOLE_SESSION_KEY_FILE
  value: /run/console/{{ . }}
{{- else }}
{{- if gt (int $root.Values.processes.console.replicas) 1 }}
{{- fail "console.sessionKey: several consoles need one, or a log-in at one is none at the other" }}
{{- end }}
{{- end }}
{{- if $root.Values.console.tlsSecret }}
- name: DATELINE_CONSOLE_CERTIFICATE_FILE
  value: /run/console-tls/tls.crt
- name: DATELINE_CONSOLE_KEY_FILE
  value: /run/console-tls/tls.key
{{- else }}
- name: DATELINE_CONSOLE_BEHIND_PROXY
  value: "true"
{{- end }}
{{- if $root.Values.console.ingress.enabled }}
- name: DATELINE_CONSOLE_ALLOWED_HOSTS
  value: {{ $root.Values.console.ingress.host | quote }}
{{- end }}
{{- end }}
{{- range $name, $value := merge (dict) (get (get $root.Values.processes $process) "env" | default dict) $root.Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Where a container finds its secrets, its configuration and the two directories that it may write to. Takes (root, process). */}}
{{- define "dateline.mounts" -}}
{{- $root := index . 0 -}}
{{- $process := index . 1 -}}
{{- $kafka := $root.Values.kafka -}}
- { name: tmp, mountPath: /tmp }
- { name: state, mountPath: /var/lib/dateline }
{{- if $root.Values.config }}
- { name: config, mountPath: /etc/dateline, readOnly: true }
{{- end }}
{{- if ne $kafka.securityProtocol "PLAINTEXT" }}
- { name: kafka, mountPath: /run/kafka, readOnly: true }
{{- if and $kafka.caSecret (hasSuffix "SSL" $kafka.securityProtocol) }}
- { name: kafka-ca, mountPath: /run/kafka-ca, readOnly: true }
{{- end }}
{{- end }}
{{- if include "dateline.usesElasticsearch" $process }}
{{- if $root.Values.elasticsearch.apiKeySecretPrefix }}
- { name: elasticsearch, mountPath: /run/elasticsearch, readOnly: true }
{{- end }}
{{- if $root.Values.elasticsearch.caSecret }}
- { name: elasticsearch-ca, mountPath: /run/elasticsearch-ca, readOnly: true }
{{- end }}
{{- end }}
{{- if and (eq $process "notifier") $root.Values.notifier.channelsSecret }}
- { name: channels, mountPath: /run/channels, readOnly: true }
{{- end }}
{{- if eq $process "console" }}
- { name: users, mountPath: /run/console, readOnly: true }
{{- if $root.Values.console.tlsSecret }}
- { name: console-tls, mountPath: /run/console-tls, readOnly: true }
{{- end }}
{{- end }}
{{- end -}}

{{/* The volumes of those mounts. Secret files are readable by the group of the pod alone. Takes (root, process, ConfigMap). */}}
{{- define "dateline.volumes" -}}
{{- $root := index . 0 -}}
{{- $process := index . 1 -}}
{{- $kafka := $root.Values.kafka -}}
{{- $elastic := $root.Values.elasticsearch -}}
- { name: tmp, emptyDir: { sizeLimit: 256Mi } }
- { name: state, emptyDir: { sizeLimit: 64Mi } }
{{- if $root.Values.config }}
- { name: config, configMap: { name: {{ index . 2 }} } }
{{- end }}
{{- if ne $kafka.securityProtocol "PLAINTEXT" }}
- { name: kafka, secret: { secretName: {{ $kafka.userPrefix }}{{ $process }}, defaultMode: 0440 } }
{{- if and $kafka.caSecret (hasSuffix "SSL" $kafka.securityProtocol) }}
- { name: kafka-ca, secret: { secretName: {{ $kafka.caSecret }}, defaultMode: 0440 } }
{{- end }}
{{- end }}
{{- if include "dateline.usesElasticsearch" $process }}
{{- if $elastic.apiKeySecretPrefix }}
- { name: elasticsearch, secret: { secretName: {{ $elastic.apiKeySecretPrefix }}{{ eq $process "console" | ternary "console" "indexer" }}, defaultMode: 0440 } }
{{- end }}
{{- if $elastic.caSecret }}
- { name: elasticsearch-ca, secret: { secretName: {{ $elastic.caSecret }}, defaultMode: 0440 } }
{{- end }}
{{- end }}
{{- if and (eq $process "notifier") $root.Values.notifier.channelsSecret }}
- { name: channels, secret: { secretName: {{ $root.Values.notifier.channelsSecret }}, defaultMode: 0440 } }
{{- end }}
{{- if eq $process "console" }}
- { name: users, secret: { secretName: {{ $root.Values.console.usersSecret }}, defaultMode: 0440 } }
{{- if $root.Values.console.tlsSecret }}
- { name: console-tls, secret: { secretName: {{ $root.Values.console.tlsSecret }}, defaultMode: 0440 } }
{{- end }}
{{- end }}
{{- end -}}

{{/* What is the same in the pod of every process. */}}
{{- define "dateline.pod" -}}
automountServiceAccountToken: false
# Kubernetes would set DATELINE_CONSOLE_PORT and others for the services, which are names of options.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "dateline.container" -}}
image: {{ include "dateline.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}
