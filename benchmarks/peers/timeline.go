package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
)

// TimelineAnswer is the answer to a line with ticks.
type TimelineAnswer struct {
	ID      string       `json:"id"`
	Invalid []string     `json:"invalid,omitempty"`
	Ticks   []Reconciled `json:"ticks"`
}

// Reconciled is what one reconciliation left behind.
type Reconciled struct {
	At       int64  `json:"at"`
	Replicas int32  `json:"replicas"`
	Wrote    *int32 `json:"wrote,omitempty"`
	Status   Status `json:"status"`
	Error    string `json:"error,omitempty"`
}

// Status is the HPA's; without -full the part that does not quote numbers.
type Status struct {
	CurrentReplicas int32                        `json:"currentReplicas"`
	DesiredReplicas int32                        `json:"desiredReplicas"`
	LastScaleTime   *metav1.Time                 `json:"lastScaleTime,omitempty"`
	Conditions      []Condition                  `json:"conditions"`
	CurrentMetrics  []autoscalingv2.MetricStatus `json:"currentMetrics,omitempty"`
}

// Condition is one of the HPA's, in the HPA's order.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
}

// answerTimeline runs upstream's controller over one line. It must run inside a bubble of its own.
func answerTimeline(line *Line, full bool) (*TimelineAnswer, *Line, error) {
	answer := &TimelineAnswer{ID: line.ID, Ticks: []Reconciled{}}
	hpa := defaulted(&line.HPA)
	var err error
	if answer.Invalid, err = refused(hpa); err != nil || answer.Invalid != nil {
		return answer, line, err
	}
	stage := newStage(line, hpa)
	stop := stage.start(line)
	defer stop()
	written := writtenOut(line)
	for number, tick := range line.Ticks {
		for at := tick.At; ; at += line.TickSeconds {
			if at > tick.At {
				if number+1 == len(line.Ticks) || at >= line.Ticks[number+1].At {
					break
				}
				tick = Tick{At: at, Follow: tick.Follow, Load: tick.Load}
			}
			time.Sleep(time.Until(zero.Add(time.Duration(at)*time.Second - time.Millisecond)))
			stage.set(tick)
			written.Ticks = append(written.Ticks, stage.follow(line.Follow, tick))
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			answer.Ticks = append(answer.Ticks, stage.report(at, full))
		}
	}
	return answer, written, nil
}

// start begins one sync period before the first tick, because a new HPA waits for one.
func (s *stage) start(line *Line) (stop func()) {
	period := time.Duration(line.TickSeconds) * time.Second
	time.Sleep(time.Until(zero.Add(time.Duration(line.Ticks[0].At)*time.Second - period)))
	utilruntime.ErrorHandlers = []utilruntime.ErrorHandler{
		func(_ context.Context, err error, _ string, _ ...any) { s.problem = err.Error() },
	}
	ctx, cancel := context.WithCancel(context.Background())
	controller := podautoscaler.NewHorizontalController(
		ctx, events{}, scales{stage: s}, autoscalers{stage: s}, mapper{}, s.world.client(), hpaInformer{s}, podInformer{s}, period,
		line.Controller.window(), line.Controller.Tolerance, line.Controller.initialization(), line.Controller.readiness(),
	)
	go controller.Run(ctx, 1)
	s.handler.OnAdd(s.hpa, false)
	return cancel
}

// set changes the world right before a reconciliation.
func (s *stage) set(tick Tick) {
	s.world.change(tick.World)
	if tick.Replicas != nil {
		s.replicas = *tick.Replicas
	}
	s.existing = tick.StatusReplicas
	s.wrote, s.problem = nil, ""
	if tick.Spec != nil {
		s.hpa = s.hpa.DeepCopy()
		s.hpa.Spec = *tick.Spec.DeepCopy()
		s.hpa = defaulted(s.hpa)
		s.handler.OnUpdate(s.hpa, s.hpa)
	}
}

func (s *stage) report(at int64, full bool) Reconciled {
	status := s.hpa.Status
	out := Status{
		CurrentReplicas: status.CurrentReplicas,
		DesiredReplicas: status.DesiredReplicas,
		LastScaleTime:   status.LastScaleTime,
		Conditions:      []Condition{},
	}
	for _, one := range status.Conditions {
		condition := Condition{Type: string(one.Type), Status: string(one.Status), Reason: one.Reason}
		if full {
			condition.Message = one.Message
		}
		out.Conditions = append(out.Conditions, condition)
	}
	if full {
		out.CurrentMetrics = status.CurrentMetrics
	}
	return Reconciled{At: at, Replicas: s.replicas, Wrote: s.wrote, Status: out, Error: s.problem}
}

// scale is what the API server answers: with a count of its own, or the pods that are neither deleted nor over.
func (s *stage) scale() *autoscalingv1.Scale {
	scale := &autoscalingv1.Scale{}
	scale.Name, scale.Namespace = s.hpa.Spec.ScaleTargetRef.Name, s.hpa.Namespace
	scale.Spec.Replicas = s.replicas
	scale.Status.Selector = s.world.selector
	scale.Status.Replicas = s.world.statusReplicas()
	if s.existing != nil {
		scale.Status.Replicas = *s.existing
	}
	return scale
}

// inBubble runs one function under virtual time, from one day before zero on.
func inBubble(t *testing.T, run func()) {
	synctest.Test(t, func(*testing.T) { run() })
}
