package main

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	customv1beta2 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	externalv1beta1 "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	resourceclient "k8s.io/metrics/pkg/client/clientset/versioned/typed/metrics/v1beta1"
	customclient "k8s.io/metrics/pkg/client/custom_metrics"
	externalclient "k8s.io/metrics/pkg/client/external_metrics"
)

// observed is the present world, answered for by the lister and by the servers of the three metrics APIs.
type observed struct {
	namespace string
	selector  string
	pods      []*v1.Pod // in the lister's order
	byName    map[string]*v1.Pod
	metrics   Metrics
}

func newObserved(namespace string) *observed {
	return &observed{namespace: namespace, selector: defaultSelector}
}

// change applies what a state or a tick says of the world, but for the scale itself.
func (o *observed) change(w World) {
	if w.Selector != nil {
		o.selector = *w.Selector
	}
	if w.Pods != nil {
		o.show(w.Pods)
	}
	if w.Metrics.Pods != nil {
		o.metrics.Pods = w.Metrics.Pods
		for i := range o.metrics.Pods {
			if o.metrics.Pods[i].Window.Duration == 0 {
				o.metrics.Pods[i].Window.Duration = 30 * time.Second
			}
		}
	}
	if w.Metrics.Custom != nil {
		o.metrics.Custom = w.Metrics.Custom
	}
	if w.Metrics.External != nil {
		o.metrics.External = w.Metrics.External
	}
}

func (o *observed) show(pods []v1.Pod) {
	o.pods, o.byName = make([]*v1.Pod, len(pods)), make(map[string]*v1.Pod, len(pods))
	for i := range pods {
		pod := pods[i].DeepCopy()
		pod.Namespace = o.namespace
		if pod.Labels == nil {
			pod.Labels = map[string]string{"app": "oracle"}
		}
		o.pods[i], o.byName[pod.Name] = pod, pod
	}
}

// statusReplicas counts the pods that are neither deleted nor over.
func (o *observed) statusReplicas() int32 {
	var count int32
	for _, pod := range o.pods {
		if pod.DeletionTimestamp == nil && pod.Status.Phase != v1.PodSucceeded && pod.Status.Phase != v1.PodFailed {
			count++
		}
	}
	return count
}

// sampled tells whether a metrics API answers with the sample of this pod: one that matches, or is no more.
func (o *observed) sampled(name string, selector labels.Selector) bool {
	pod, exists := o.byName[name]
	return !exists || selector.Matches(labels.Set(pod.Labels))
}

func (o *observed) client() metrics.MetricsClient {
	return metrics.NewRESTMetricsClient(resourceAPI{o}, customAPI{o}, externalAPI{o})
}

func (o *observed) lister() corelisters.PodLister { return podLister{o} }

type podLister struct{ *observed }

func (l podLister) List(selector labels.Selector) ([]*v1.Pod, error) {
	found := make([]*v1.Pod, 0, len(l.pods))
	for _, pod := range l.pods {
		if selector.Matches(labels.Set(pod.Labels)) {
			found = append(found, pod)
		}
	}
	return found, nil
}

func (l podLister) Pods(string) corelisters.PodNamespaceLister { return podsOfNamespace{l} }

type podsOfNamespace struct{ podLister }

func (l podsOfNamespace) Get(name string) (*v1.Pod, error) {
	return nil, fmt.Errorf("nobody asks for pod %s alone", name)
}

type resourceAPI struct{ *observed }

func (a resourceAPI) PodMetricses(string) resourceclient.PodMetricsInterface {
	return podMetricses{observed: a.observed}
}

type podMetricses struct {
	resourceclient.PodMetricsInterface // what nobody calls
	*observed
}

func (a podMetricses) List(_ context.Context, options metav1.ListOptions) (*metricsv1beta1.PodMetricsList, error) {
	selector, err := labels.Parse(options.LabelSelector)
	if err != nil {
		return nil, err
	}
	answer := &metricsv1beta1.PodMetricsList{}
	for _, sample := range a.metrics.Pods {
		if a.sampled(sample.Name, selector) {
			answer.Items = append(answer.Items, sample)
		}
	}
	return answer, nil
}

type customAPI struct{ *observed }

func (a customAPI) RootScopedMetrics() customclient.MetricsInterface       { return a }
func (a customAPI) NamespacedMetrics(string) customclient.MetricsInterface { return a }

func (a customAPI) GetForObject(kind schema.GroupKind, name, metric string, selector labels.Selector) (*customv1beta2.MetricValue, error) {
	var found []customv1beta2.MetricValue
	for _, value := range a.metrics.Custom {
		if value.DescribedObject.Kind == kind.Kind && value.DescribedObject.Name == name && named(value, metric, selector) {
			found = append(found, value)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("the custom metrics API server returned %v results when we asked for exactly one", len(found))
	}
	return &found[0], nil
}

func (a customAPI) GetForObjects(kind schema.GroupKind, pods labels.Selector, metric string, selector labels.Selector) (*customv1beta2.MetricValueList, error) {
	answer := &customv1beta2.MetricValueList{}
	for _, value := range a.metrics.Custom {
		if value.DescribedObject.Kind == kind.Kind && named(value, metric, selector) && a.sampled(value.DescribedObject.Name, pods) {
			answer.Items = append(answer.Items, value)
		}
	}
	return answer, nil
}

// named tells whether a value is of this metric. A selector is part of the metric's name, and is compared as it is sent.
func named(value customv1beta2.MetricValue, metric string, selector labels.Selector) bool {
	own, err := metav1.LabelSelectorAsSelector(value.Metric.Selector)
	return err == nil && value.Metric.Name == metric && own.String() == selector.String()
}

type externalAPI struct{ *observed }

func (a externalAPI) NamespacedMetrics(string) externalclient.MetricsInterface { return a }

func (a externalAPI) List(metric string, selector labels.Selector) (*externalv1beta1.ExternalMetricValueList, error) {
	// It travels as text: the selector of nothing, which an HPA without one has, arrives as that of everything.
	received, err := labels.Parse(selector.String())
	if err != nil {
		return nil, err
	}
	answer := &externalv1beta1.ExternalMetricValueList{}
	for _, value := range a.metrics.External {
		if value.MetricName == metric && received.Matches(labels.Set(value.MetricLabels)) {
			answer.Items = append(answer.Items, value)
		}
	}
	return answer, nil
}
