// Knative's own autoscaler, as a peer to be compared with. See ../../kpa_equality.py for how it is built.
module podium.dev/benchmarks/peers/kpa

go 1.26.0

require (
	go.opentelemetry.io/otel v1.47.0
	go.opentelemetry.io/otel/metric v1.47.0
	go.uber.org/zap v1.28.0
	k8s.io/apimachinery v0.36.5
	knative.dev/serving v0.51.0
)
