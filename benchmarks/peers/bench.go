package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	customv1beta2 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	externalv1beta1 "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// bench asks the calculator for three metrics of each workload: cpu of requests, a metric of pods, an external one. The
// worlds are built before; what is timed is what the controller's calculator does, on one core, without any API call.
func bench(out io.Writer, workloads, pods, rounds int) error {
	runtime.GOMAXPROCS(1)
	worlds := make([]*observed, workloads)
	for i := range worlds {
		worlds[i] = benchWorld(i, pods)
	}
	fastest := time.Duration(0)
	for round := range rounds {
		begun := time.Now()
		for _, world := range worlds {
			if err := decideOnce(world, int32(pods)); err != nil {
				return err
			}
		}
		if taken := time.Since(begun); round == 0 || taken < fastest {
			fastest = taken
		}
	}
	return json.NewEncoder(out).Encode(struct {
		Workloads int     `json:"workloads"`
		Seconds   float64 `json:"seconds"`
	}{workloads, fastest.Seconds()})
}

func decideOnce(world *observed, replicas int32) error {
	calculator := podautoscaler.NewReplicaCalculator(world.client(), world.lister(), 5*time.Minute, 30*time.Second)
	within, selector := asTolerances(0.1, 0.1), labels.Set{"app": "oracle"}.AsSelector()
	if _, _, _, _, err := calculator.GetResourceReplicas(nil, replicas, 70, v1.ResourceCPU, within, world.namespace, selector, ""); err != nil {
		return err
	}
	if _, _, _, err := calculator.GetMetricReplicas(replicas, 100_000, "sessions", within, world.namespace, selector, labels.Nothing()); err != nil {
		return err
	}
	_, _, _, err := calculator.GetExternalPerPodMetricReplicas(replicas, 10_000, "queue", within, world.namespace, nil)
	return err
}

func benchWorld(number, pods int) *observed {
	now := metav1.Now()
	long := metav1.Time{Time: now.Add(-time.Hour)}
	request := v1.ResourceList{v1.ResourceCPU: resource.MustParse("500m")}
	world := newObserved(namespace)
	shown := World{Pods: make([]v1.Pod, pods)}
	for i := range shown.Pods {
		pod := startedPod(fmt.Sprintf("web-%d-%d", number, i), long.Time, &Follow{Requests: request})
		pod.Status.Conditions[0].Status = v1.ConditionTrue
		shown.Pods[i] = pod
		used := v1.ResourceList{v1.ResourceCPU: *resource.NewMilliQuantity(int64(200+(number*37+i*11)%300), resource.DecimalSI)}
		shown.Metrics.Pods = append(shown.Metrics.Pods, metricsv1beta1.PodMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Timestamp: now,
			Containers: []metricsv1beta1.ContainerMetrics{{Name: "app", Usage: used}},
		})
		shown.Metrics.Custom = append(shown.Metrics.Custom, customv1beta2.MetricValue{
			DescribedObject: v1.ObjectReference{Kind: "Pod", Name: pod.Name}, Timestamp: now,
			Metric: customv1beta2.MetricIdentifier{Name: "sessions"}, Value: *resource.NewQuantity(int64(50+(number*17+i)%100), resource.DecimalSI),
		})
	}
	shown.Metrics.External = []externalv1beta1.ExternalMetricValue{
		{MetricName: "queue", Timestamp: now, Value: *resource.NewQuantity(int64(number%100), resource.DecimalSI)},
	}
	world.change(shown)
	return world
}
