package main

import (
	"context"
	"errors"
	"unsafe"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/features"
)

// Proposal is what one metric asks for, before any limit.
type Proposal struct {
	Replicas    int32  `json:"replicas"`
	Usage       int64  `json:"usage"`
	Utilization *int32 `json:"utilization,omitempty"`
	Error       string `json:"error,omitempty"`
}

// StateAnswer is the answer to a line without ticks.
type StateAnswer struct {
	ID      string     `json:"id"`
	Invalid []string   `json:"invalid,omitempty"`
	Metrics []Proposal `json:"metrics"`
}

// answerState asks upstream's calculator for each metric of one line. It must run at zero.
func answerState(line *Line) (*StateAnswer, error) {
	answer := &StateAnswer{ID: line.ID, Metrics: []Proposal{}}
	hpa := defaulted(&line.HPA)
	var err error
	if answer.Invalid, err = refused(hpa); err != nil || answer.Invalid != nil {
		return answer, err
	}
	world := newObserved(hpa.Namespace)
	world.change(line.World)
	state := state{
		ReplicaCalculator: podautoscaler.NewReplicaCalculator(
			world.client(), world.lister(), line.Controller.initialization(), line.Controller.readiness()),
		hpa:        hpa,
		tolerances: tolerances(hpa, line.Controller.Tolerance),
		replicas:   1,
		existing:   world.statusReplicas(),
	}
	if line.Replicas != nil {
		state.replicas = *line.Replicas
	}
	if line.StatusReplicas != nil {
		state.existing = *line.StatusReplicas
	}
	state.selector, err = labels.Parse(world.selector)
	for _, metric := range hpa.Spec.Metrics {
		proposal := Proposal{}
		problem := err
		if problem == nil {
			proposal, problem = state.propose(metric)
		}
		if problem != nil {
			proposal = Proposal{Error: problem.Error()}
		}
		answer.Metrics = append(answer.Metrics, proposal)
	}
	return answer, nil
}

type state struct {
	*podautoscaler.ReplicaCalculator
	hpa                *autoscalingv2.HorizontalPodAutoscaler
	tolerances         podautoscaler.Tolerances
	selector           labels.Selector
	replicas, existing int32
}

// propose chooses the calculation as the controller does (computeReplicasForMetric).
func (s state) propose(metric autoscalingv2.MetricSpec) (Proposal, error) {
	switch metric.Type {
	case autoscalingv2.ResourceMetricSourceType:
		return s.ofResource(metric.Resource.Name, "", metric.Resource.Target)
	case autoscalingv2.ContainerResourceMetricSourceType:
		return s.ofResource(metric.ContainerResource.Name, metric.ContainerResource.Container, metric.ContainerResource.Target)
	case autoscalingv2.PodsMetricSourceType:
		return s.ofPods(metric.Pods)
	case autoscalingv2.ObjectMetricSourceType:
		return s.ofObject(metric.Object)
	default:
		return s.ofExternal(metric.External)
	}
}

func (s state) ofResource(name v1.ResourceName, container string, target autoscalingv2.MetricTarget) (out Proposal, err error) {
	ctx := context.Background()
	if target.AverageValue != nil {
		out.Replicas, out.Usage, _, err = s.GetRawResourceReplicas(
			ctx, s.replicas, target.AverageValue.MilliValue(), name, s.tolerances, s.hpa.Namespace, s.selector, container)
		return out, err
	}
	out.Utilization = new(int32)
	out.Replicas, *out.Utilization, out.Usage, _, err = s.GetResourceReplicas(
		ctx, s.replicas, *target.AverageUtilization, name, s.tolerances, s.hpa.Namespace, s.selector, container)
	return out, err
}

func (s state) ofPods(metric *autoscalingv2.PodsMetricSource) (out Proposal, err error) {
	selector, err := metav1.LabelSelectorAsSelector(metric.Metric.Selector)
	if err != nil {
		return out, err
	}
	out.Replicas, out.Usage, _, err = s.GetMetricReplicas(
		s.replicas, metric.Target.AverageValue.MilliValue(), metric.Metric.Name, s.tolerances, s.hpa.Namespace, s.selector, selector)
	return out, err
}

func (s state) ofObject(metric *autoscalingv2.ObjectMetricSource) (out Proposal, err error) {
	selector, err := metav1.LabelSelectorAsSelector(metric.Metric.Selector)
	if err != nil {
		return out, err
	}
	switch target := metric.Target; {
	case target.Type == autoscalingv2.ValueMetricType && target.Value != nil:
		out.Replicas, out.Usage, _, err = s.GetObjectMetricReplicas(
			s.replicas, target.Value.MilliValue(), metric.Metric.Name, s.tolerances, s.hpa.Namespace, &metric.DescribedObject, s.selector, selector)
	case target.Type == autoscalingv2.AverageValueMetricType && target.AverageValue != nil:
		out.Replicas, out.Usage, _, err = s.GetObjectPerPodMetricReplicas(
			s.existing, target.AverageValue.MilliValue(), metric.Metric.Name, s.tolerances, s.hpa.Namespace, &metric.DescribedObject, selector)
	default:
		err = errors.New("invalid object metric source: neither a value target nor an average value target was set")
	}
	return out, err
}

func (s state) ofExternal(metric *autoscalingv2.ExternalMetricSource) (out Proposal, err error) {
	switch target := metric.Target; {
	case target.AverageValue != nil:
		out.Replicas, out.Usage, _, err = s.GetExternalPerPodMetricReplicas(
			s.existing, target.AverageValue.MilliValue(), metric.Metric.Name, s.tolerances, s.hpa.Namespace, metric.Metric.Selector)
	case target.Value != nil:
		out.Replicas, out.Usage, _, err = s.GetExternalMetricReplicas(
			s.replicas, target.Value.MilliValue(), metric.Metric.Name, s.tolerances, s.hpa.Namespace, metric.Metric.Selector, s.selector)
	default:
		err = errors.New("invalid external metric source: neither a value target nor an average value target was set")
	}
	return out, err
}

// tolerances are those of an HPA, as the controller takes them (tolerancesForHpa).
func tolerances(hpa *autoscalingv2.HorizontalPodAutoscaler, otherwise float64) podautoscaler.Tolerances {
	down, up := otherwise, otherwise
	if behavior := hpa.Spec.Behavior; behavior != nil && utilfeature.DefaultFeatureGate.Enabled(features.HPAConfigurableTolerance) {
		if behavior.ScaleDown != nil && behavior.ScaleDown.Tolerance != nil {
			down = behavior.ScaleDown.Tolerance.AsApproximateFloat64()
		}
		if behavior.ScaleUp != nil && behavior.ScaleUp.Tolerance != nil {
			up = behavior.ScaleUp.Tolerance.AsApproximateFloat64()
		}
	}
	return asTolerances(down, up)
}

// asTolerances fills a struct whose two fields, scaleDown and scaleUp, upstream keeps to itself.
func asTolerances(down, up float64) podautoscaler.Tolerances {
	var out podautoscaler.Tolerances
	pair := (*[2]float64)(unsafe.Pointer(&out))
	const _ = unsafe.Sizeof(out) - unsafe.Sizeof(*pair) // a third field would not compile
	const _ = unsafe.Sizeof(*pair) - unsafe.Sizeof(out)
	*pair = [2]float64{down, up}
	return out
}
