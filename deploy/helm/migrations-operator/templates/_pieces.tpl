{{- define "part-of" -}}
app.kubernetes.io/part-of: migrations-operator
{{- end }}

{{- /* The image of a component: list $ NAME VALUES. A digest goes before a tag, a tag before the chart's own version. */}}
{{- define "image" -}}
{{- $root := index . 0 }}{{ $name := index . 1 }}{{ $image := (index . 2).image -}}
{{ $root.Values.image.registry }}/{{ $name }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Deployment, PodDisruptionBudget and ServiceAccount of a service: dict root name values env (list of variables). */}}
{{- define "service" -}}
{{- $root := .root }}{{ $name := .name }}{{ $values := .values -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "part-of" . | nindent 4 }}
automountServiceAccountToken: false # the Deployment asks for its token
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    app.kubernetes.io/name: {{ $name }}
    {{- include "part-of" . | nindent 4 }}
spec:
  replicas: {{ $values.replicas }}
  selector:
    matchLabels: {app.kubernetes.io/name: {{ $name }}}
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {{ $name }}
        {{- include "part-of" . | nindent 8 }}
        {{- with $values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ $name }}
        {{- with $values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: true
      enableServiceLinks: false # a Service's variables could be taken for configuration
      terminationGracePeriodSeconds: 30
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets: {{ toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector: {{ toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations: {{ toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity: {{ toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {app.kubernetes.io/name: {{ $name }}}
          matchLabelKeys: [pod-template-hash]
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: {{ $name }}
          image: {{ include "image" (list $root $name $values) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          env:
            {{- toYaml .env | nindent 12 }}
            - {name: TLS_MODE, value: {{ eq $root.Values.tls.mode "cert-manager" | ternary "files" $root.Values.tls.mode }}}
            {{- with $root.Values.namespaces }}
            - {name: KUBERNETES_NAMESPACES, value: {{ join "," . | quote }}}
            {{- end }}
            {{- range $key, $value := $values.env }}
            - {name: {{ $key }}, value: {{ $value | quote }}}
            {{- end }}
          ports:
            - {name: https, containerPort: 8443}
            - {name: management, containerPort: 8080}
          # For the API server to be there and for the caches to fill. Not too few: a restart would not bring it back.
          startupProbe:
            httpGet: {path: /health/live, port: management}
            periodSeconds: 1
            failureThreshold: 900
          livenessProbe:
            httpGet: {path: /health/live, port: management}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /health/ready, port: management}
            periodSeconds: 2
            timeoutSeconds: 2
          resources: {{ toYaml $values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if eq $root.Values.tls.mode "cert-manager" }}
            - {name: certificate, mountPath: /tmp/k8s-webhook-server/serving-certs, readOnly: true}
            {{- end }}
      volumes:
        - name: tmp # the JVM's report of a crash
          emptyDir: {sizeLimit: 16Mi}
        {{- if eq $root.Values.tls.mode "cert-manager" }}
        - name: certificate # tls.crt, tls.key and ca.crt, by cert-manager
          secret: {secretName: {{ $name }}-tls}
        {{- end }}
{{- if $root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "part-of" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow # a replica that is not ready must not hold up a drain
  selector:
    matchLabels: {app.kubernetes.io/name: {{ $name }}}
{{- end }}
{{- end }}

{{- /* A role and its binding to a service: dict root kind (Role, ClusterRole) name service rules (text), and for a Role in another
namespace than ours namespace. */}}
{{- define "rights" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- if eq .kind "Role" }}
  namespace: {{ .namespace | default .root.Release.Namespace }}
  {{- end }}
  labels:
    {{- include "part-of" . | nindent 4 }}
{{ .rules }}
---
{{ include "binding" (set . "bindingKind" (print .kind "Binding")) }}
{{- end }}

{{- /* As for rights, and bindingKind (RoleBinding, ClusterRoleBinding). */}}
{{- define "binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .bindingKind }}
metadata:
  name: {{ .name }}
  {{- if eq .bindingKind "RoleBinding" }}
  namespace: {{ .namespace | default .root.Release.Namespace }}
  {{- end }}
  labels:
    {{- include "part-of" . | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ .kind }}, name: {{ .name }}}
subjects:
  - {kind: ServiceAccount, name: {{ .service }}, namespace: {{ .root.Release.Namespace }}}
{{- end }}

{{- /* Rights in the namespaces that are served: in all, or in each that is listed. dict root name service rules (text). */}}
{{- define "rights-where-served" -}}
{{- if .root.Values.namespaces }}
{{- range $namespace := .root.Values.namespaces }}
---
{{ include "rights" (merge (dict "kind" "Role" "namespace" $namespace) $) }}
{{- end }}
{{- else }}
---
{{ include "rights" (merge (dict "kind" "ClusterRole") .) }}
{{- end }}
{{- end }}

{{- /* Which namespaces the webhook looks at: dict root. */}}
{{- define "namespace-selector" -}}
matchExpressions:
  {{- with .root.Values.namespaces }}
  {{- range $name := list $.root.Release.Namespace "kube-system" }}
  {{- if has $name $.root.Values.namespaces }}
  {{- fail (printf "namespaces: pods of %s never wait" $name) }}
  {{- end }}
  {{- end }}
  - {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson . }}}
  {{- else }}
  - {key: kubernetes.io/metadata.name, operator: NotIn, values: [{{ .root.Release.Namespace | quote }}, kube-system]}
  {{- end }}
{{- end }}
