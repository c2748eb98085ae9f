package main

import (
	"context"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	autoscalinginformers "k8s.io/client-go/informers/autoscaling/v2"
	coreinformers "k8s.io/client-go/informers/core/v1"
	hpaclient "k8s.io/client-go/kubernetes/typed/autoscaling/v2"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	hpalisters "k8s.io/client-go/listers/autoscaling/v2"
	corelisters "k8s.io/client-go/listers/core/v1"
	scaleclient "k8s.io/client-go/scale"
	"k8s.io/client-go/tools/cache"
)

// stage stands where the API server stands for the controller: one HPA, one scale, the present world.
type stage struct {
	world    *observed
	hpa      *autoscalingv2.HorizontalPodAutoscaler
	handler  cache.ResourceEventHandler // the controller's own, once it has come
	replicas int32
	existing *int32 // status.replicas of this tick; nil: counted
	crew     crew

	wrote   *int32 // what this tick's reconciliation wrote to the scale
	problem string // what it returned
}

func newStage(line *Line, hpa *autoscalingv2.HorizontalPodAutoscaler) *stage {
	s := &stage{world: newObserved(hpa.Namespace), hpa: hpa, replicas: 1}
	s.set(Tick{World: line.World})
	return s
}

// The informers know one object, and hand on what changes without a watch.

type hpaInformer struct{ *stage }

func (i hpaInformer) Informer() cache.SharedIndexInformer              { return synced{stage: i.stage} }
func (i hpaInformer) Lister() hpalisters.HorizontalPodAutoscalerLister { return i }
func (i hpaInformer) List(labels.Selector) ([]*autoscalingv2.HorizontalPodAutoscaler, error) {
	return []*autoscalingv2.HorizontalPodAutoscaler{i.hpa}, nil
}
func (i hpaInformer) HorizontalPodAutoscalers(string) hpalisters.HorizontalPodAutoscalerNamespaceLister {
	return i
}
func (i hpaInformer) Get(string) (*autoscalingv2.HorizontalPodAutoscaler, error) { return i.hpa, nil }

type podInformer struct{ *stage }

func (i podInformer) Informer() cache.SharedIndexInformer { return synced{stage: i.stage} }
func (i podInformer) Lister() corelisters.PodLister       { return i.world.lister() }

var (
	_ autoscalinginformers.HorizontalPodAutoscalerInformer = hpaInformer{}
	_ coreinformers.PodInformer                            = podInformer{}
)

type synced struct {
	cache.SharedIndexInformer // what nobody calls
	*stage
}

func (s synced) HasSynced() bool { return true }

func (s synced) AddEventHandlerWithResyncPeriod(handler cache.ResourceEventHandler, _ time.Duration) (cache.ResourceEventHandlerRegistration, error) {
	s.handler = handler
	return nil, nil
}

// The status subresource takes the status alone, and the informer hears of it.

type autoscalers struct {
	hpaclient.HorizontalPodAutoscalerInterface // what nobody calls
	*stage
}

func (a autoscalers) HorizontalPodAutoscalers(string) hpaclient.HorizontalPodAutoscalerInterface {
	return a
}

func (a autoscalers) UpdateStatus(_ context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, _ metav1.UpdateOptions) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	before, after := a.hpa, a.hpa.DeepCopy()
	after.Status = *hpa.Status.DeepCopy()
	a.stage.hpa = after
	a.handler.OnUpdate(before, after)
	return after, nil
}

type scales struct {
	scaleclient.ScaleInterface // what nobody calls
	*stage
}

func (s scales) Scales(string) scaleclient.ScaleInterface { return s }

func (s scales) Get(context.Context, schema.GroupResource, string, metav1.GetOptions) (*autoscalingv1.Scale, error) {
	return s.scale(), nil
}

func (s scales) Update(_ context.Context, _ schema.GroupResource, scale *autoscalingv1.Scale, _ metav1.UpdateOptions) (*autoscalingv1.Scale, error) {
	replicas := scale.Spec.Replicas
	s.replicas, s.wrote = replicas, &replicas
	return scale, nil
}

// mapper maps every kind to a resource: whatever a line scales has a scale.
type mapper struct{ apimeta.RESTMapper }

func (mapper) RESTMappings(kind schema.GroupKind, _ ...string) ([]*apimeta.RESTMapping, error) {
	resource := schema.GroupVersionResource{Group: kind.Group, Version: "v1", Resource: kind.Kind}
	return []*apimeta.RESTMapping{{Resource: resource, GroupVersionKind: kind.WithVersion("v1")}}, nil
}

// events are thrown away.
type events struct{ coreclient.EventInterface }

func (e events) Events(string) coreclient.EventInterface { return e }

func (events) CreateWithEventNamespace(event *v1.Event) (*v1.Event, error) { return event, nil }

func (events) PatchWithEventNamespace(event *v1.Event, _ []byte) (*v1.Event, error) {
	return event, nil
}
