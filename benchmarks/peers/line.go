package main

import (
	"errors"
	"fmt"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	customv1beta2 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	externalv1beta1 "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// zero is the moment `"at": 0`; a synctest bubble begins one day earlier.
var zero = time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)

const (
	namespace       = "default"
	defaultSelector = "app=oracle"
)

// Line is one case: a state, or a timeline if it has ticks.
type Line struct {
	ID           string                                `json:"id"`
	HPA          autoscalingv2.HorizontalPodAutoscaler `json:"hpa"`
	FeatureGates map[string]bool                       `json:"featureGates,omitempty"`
	Controller   Settings                              `json:"controller,omitzero"`
	World
	TickSeconds int64   `json:"tick_seconds,omitempty"`
	Ticks       []Tick  `json:"ticks,omitempty"`
	Follow      *Follow `json:"follow,omitempty"`
}

// Settings are kube-controller-manager's own for its HPA controller.
type Settings struct {
	Window         *metav1.Duration `json:"horizontalPodAutoscalerDownscaleStabilizationWindow,omitempty"`
	Tolerance      float64          `json:"horizontalPodAutoscalerTolerance,omitempty"`
	Initialization *metav1.Duration `json:"horizontalPodAutoscalerCPUInitializationPeriod,omitempty"`
	Readiness      *metav1.Duration `json:"horizontalPodAutoscalerInitialReadinessDelay,omitempty"`
}

// World is what the controller can observe. In a tick a nil member keeps its value.
type World struct {
	Replicas       *int32   `json:"replicas,omitempty"`
	StatusReplicas *int32   `json:"statusReplicas,omitempty"`
	Selector       *string  `json:"selector,omitempty"`
	Pods           []v1.Pod `json:"pods,omitempty"`
	Metrics        Metrics  `json:"metrics,omitzero"`
}

// Metrics are the samples that the three metrics APIs know.
type Metrics struct {
	Pods     []metricsv1beta1.PodMetrics           `json:"pods,omitempty"`
	Custom   []customv1beta2.MetricValue           `json:"custom,omitempty"`
	External []externalv1beta1.ExternalMetricValue `json:"external,omitempty"`
}

// Tick changes the world right before the reconciliation at that second.
type Tick struct {
	At int64 `json:"at"`
	World
	Spec   *autoscalingv2.HorizontalPodAutoscalerSpec `json:"spec,omitempty"`
	Follow *bool                                      `json:"follow,omitempty"`
	Load   map[string]resource.Quantity               `json:"load,omitempty"`

	// What Podium does not read either; named here to be refused.
	Fail  []string `json:"fail,omitempty"`
	Rival bool     `json:"rival,omitempty"`
}

// Follow says how pods behave that are not written out.
type Follow struct {
	StartupSeconds    int64           `json:"startupSeconds"`
	MetricsLagSeconds int64           `json:"metricsLagSeconds"`
	Requests          v1.ResourceList `json:"requests"`
	StartupUsage      v1.ResourceList `json:"startupUsage"`
}

func (l *Line) fill() error {
	if l.TickSeconds == 0 {
		l.TickSeconds = 15
	}
	if l.Controller.Tolerance == 0 {
		l.Controller.Tolerance = 0.1
	}
	if l.HPA.Name == "" {
		l.HPA.Name = "web"
	}
	if l.HPA.Namespace == "" {
		l.HPA.Namespace = namespace
	}
	for i := range l.Ticks {
		if len(l.Ticks[i].Fail) > 0 || l.Ticks[i].Rival {
			return fmt.Errorf("ticks[%d]: fail and rival are not driven", i)
		}
		if i > 0 && (l.Ticks[i].At-l.Ticks[i-1].At <= 0 || (l.Ticks[i].At-l.Ticks[i-1].At)%l.TickSeconds != 0) {
			return fmt.Errorf("ticks[%d].at: expected a whole number of tick_seconds after the last", i)
		}
		if l.Ticks[i].Follow != nil && *l.Ticks[i].Follow && l.Follow == nil {
			return errors.New("follow: a tick follows, and the line does not say how")
		}
	}
	return nil
}

func (s Settings) window() time.Duration         { return or(s.Window, 5*time.Minute) }
func (s Settings) initialization() time.Duration { return or(s.Initialization, 5*time.Minute) }
func (s Settings) readiness() time.Duration      { return or(s.Readiness, 30*time.Second) }

func or(given *metav1.Duration, otherwise time.Duration) time.Duration {
	if given == nil {
		return otherwise
	}
	return given.Duration
}
