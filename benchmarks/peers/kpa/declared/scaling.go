// Package scaling: the declarations around the autoscaler, and no telemetry.
package scaling

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

const tickInterval = 2 * time.Second

type DeciderSpec struct {
	MaxScaleUpRate, MaxScaleDownRate float64
	ScalingMetric                    string
	TargetValue, TotalValue          float64
	TargetBurstCapacity              float64
	PanicThreshold                   float64
	StableWindow, ScaleDownDelay     time.Duration
	Reachable                        bool
	ActivationScale                  int32
}

type ScaleResult struct {
	DesiredPodCount, ExcessBurstCapacity int32
	ScaleValid                           bool
}

var invalidSR = ScaleResult{}

type UniScaler interface {
	Scale(*zap.SugaredLogger, time.Time) ScaleResult
	Update(*DeciderSpec)
	OnDelete()
}

type scalingMetrics struct{}

func newMetrics(metric.MeterProvider, string, attribute.Set) *scalingMetrics {
	return &scalingMetrics{}
}

func (*scalingMetrics) SetPanic(bool)                                    {}
func (*scalingMetrics) OnDelete()                                        {}
func (*scalingMetrics) Record(float64, int64, float64, float64, float64) {}
