{{/* What several templates share. A test holds every object against what `podium install` prints. */}}

{{- define "podium.labels" -}}
app.kubernetes.io/name: podium
app.kubernetes.io/version: {{ .Chart.AppVersion }}
{{- end }}

{{- define "podium.selector" -}}
app.kubernetes.io/name: podium
{{- end }}

{{- define "podium.image" -}}
{{ .Values.image | default (printf "podium:%s" .Chart.AppVersion) }}
{{- end }}

{{/* "true" or nothing: whether external.metrics.k8s.io is answered, and whether KEDA is. */}}
{{- define "podium.servesMetrics" -}}
{{- if and (or (eq .Values.mode "metric") (and .Values.serve (ne .Values.mode "recommend"))) (not .Values.keda) }}true{{ end }}
{{- end }}
{{- define "podium.servesKeda" -}}
{{- if and .Values.keda (ne .Values.mode "recommend") }}true{{ end }}
{{- end }}

{{- define "podium.token" -}}
{{ if .Values.token.secret }}/etc/podium/token/token{{ else }}/var/lib/podium/api-token{{ end }}
{{- end }}

{{- define "podium.settings" -}}
apiVersion: podium.dev/v1alpha1
kind: Settings
database:
{{- if .Values.database.secret }}
  password: file:/etc/podium/database/password
{{- else }}
  url: sqlite:////var/lib/podium/podium.db
{{- end }}
clusters:
- name: local
  kind: kubernetes
{{- if .Values.prometheus }}
sources:
- name: prometheus
  kind: prometheus
  url: {{ .Values.prometheus }}
{{- end }}
documents:
  authority: kubernetes
{{- if .Values.namespaces }}
  namespaces:
{{- range .Values.namespaces }}
  - {{ . }}
{{- end }}
{{- end }}
loop:
  mode: {{ .Values.mode }}
api:
  listen: 0.0.0.0:8080
  token: file:{{ include "podium.token" . }}
  hosts:
  - podium.{{ .Release.Namespace }}
  - podium.{{ .Release.Namespace }}.svc
  - podium.{{ .Release.Namespace }}.svc.cluster.local
log:
  format: json
{{- if include "podium.servesKeda" . }}
metric:
  keda: 0.0.0.0:6000
{{- else if include "podium.servesMetrics" . }}
metric:
  listen: 0.0.0.0:6443
{{- if .Values.serving.secret }}
  certificate: /etc/podium/serving/tls.crt
  key: /etc/podium/serving/tls.key
{{- end }}
{{- end }}
{{ end }}

{{/* The rules of the role: those of the mode, then what was chosen beside it. */}}
{{- define "podium.rules" -}}
{{- $rules := .Files.Get "files/rules.yaml" | fromYaml }}
{{- $mode := ternary "recommend-tell" .Values.mode (and .Values.tell (eq .Values.mode "recommend")) }}
{{- index $rules (ternary "namespaced" "cluster" (gt (len .Values.namespaces) 0)) $mode | toYaml }}
{{- if .Values.metricsApis }}
{{ $rules.metricsApis | toYaml }}
{{- end }}
{{- $mode = .Values.mode }}
{{- range without (.Values.workloads | uniq) "deployments.apps" "statefulsets.apps" }}
{{- $parts := splitn "." 2 . }}
{{ index $rules.workload $mode | toYaml | replace "PLURAL" $parts._0 | replace "GROUP" $parts._1 }}
{{- end }}
{{- end }}

{{- define "podium.container" -}}
image: {{ include "podium.image" . }}
resources:
  requests: {cpu: 100m, memory: 256Mi}
  limits: {memory: 1Gi}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "podium.security" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
