package main

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	customv1beta2 "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// crew are the followed pods: they start, become ready, carry the load and go as the scale says.
type crew struct {
	pods  []v1.Pod // the oldest first
	named int      // the last number given to a pod
	began bool
}

// writtenOut is the line as it reads when followed pods are written out: the same, and no tick yet.
func writtenOut(line *Line) *Line {
	out := *line
	out.Follow, out.Ticks = nil, nil
	return &out
}

// follow writes the followed pods and their samples into the world and answers the tick as it then reads.
func (s *stage) follow(how *Follow, tick Tick) Tick {
	if tick.Follow == nil || !*tick.Follow {
		tick.Follow, tick.Load = nil, nil
		return tick
	}
	now := zero.Add(time.Duration(tick.At) * time.Second)
	s.crew.resize(int(s.replicas), now, how)
	s.crew.ripen(now, how)
	tick.Pods = append([]v1.Pod{}, s.crew.pods...)
	tick.Metrics.Pods, tick.Metrics.Custom = s.crew.samples(now, how, tick.Load)
	for _, value := range s.world.metrics.Custom {
		if value.DescribedObject.Kind != "Pod" {
			tick.Metrics.Custom = append(tick.Metrics.Custom, value)
		}
	}
	tick.Follow, tick.Load = nil, nil
	s.world.change(tick.World)
	return tick
}

func (c *crew) resize(wanted int, now time.Time, how *Follow) {
	kept := c.pods[:0]
	for _, pod := range c.pods {
		if pod.DeletionTimestamp == nil {
			kept = append(kept, pod)
		}
	}
	c.pods = kept
	for i := wanted; i < len(c.pods); i++ {
		c.pods[i].DeletionTimestamp = &metav1.Time{Time: now}
	}
	started := now
	if !c.began {
		started = now.Add(-time.Hour)
	}
	for len(c.pods) < wanted {
		c.named++
		c.pods = append(c.pods, startedPod(fmt.Sprintf("web-%d", c.named), started, how))
	}
	c.began = true
}

func startedPod(name string, at time.Time, how *Follow) v1.Pod {
	pod := v1.Pod{}
	pod.Name, pod.Labels = name, map[string]string{"app": "oracle"}
	pod.Spec.Containers = []v1.Container{{Name: "app", Resources: v1.ResourceRequirements{Requests: how.Requests}}}
	pod.Status.Phase, pod.Status.StartTime = v1.PodRunning, &metav1.Time{Time: at}
	pod.Status.Conditions = []v1.PodCondition{
		{Type: v1.PodReady, Status: v1.ConditionFalse, LastTransitionTime: metav1.Time{Time: at}},
	}
	return pod
}

func (c *crew) ripen(now time.Time, how *Follow) {
	for i := range c.pods {
		ready := c.pods[i].Status.StartTime.Add(time.Duration(how.StartupSeconds) * time.Second)
		if !ready.After(now) {
			c.pods[i].Status.Conditions = []v1.PodCondition{
				{Type: v1.PodReady, Status: v1.ConditionTrue, LastTransitionTime: metav1.Time{Time: ready}},
			}
		}
	}
}

func (c *crew) samples(now time.Time, how *Follow, load map[string]resource.Quantity) ([]metricsv1beta1.PodMetrics, []customv1beta2.MetricValue) {
	serving := int64(0)
	for i := range c.pods {
		if serves(&c.pods[i]) {
			serving++
		}
	}
	at := metav1.Time{Time: now.Add(-time.Duration(how.MetricsLagSeconds) * time.Second)}
	used, custom := []metricsv1beta1.PodMetrics{}, []customv1beta2.MetricValue{}
	for i := range c.pods {
		pod := &c.pods[i]
		if pod.DeletionTimestamp != nil || pod.Status.StartTime.After(at.Time) {
			continue
		}
		usage := v1.ResourceList{}
		for name, whole := range load {
			share := how.StartupUsage[v1.ResourceName(name)]
			if serves(pod) {
				share = *resource.NewMilliQuantity(whole.MilliValue()/serving, resource.DecimalSI)
			}
			if name == "cpu" || name == "memory" {
				usage[v1.ResourceName(name)] = share
				continue
			}
			custom = append(custom, customv1beta2.MetricValue{
				DescribedObject: v1.ObjectReference{Kind: "Pod", Name: pod.Name},
				Metric:          customv1beta2.MetricIdentifier{Name: name}, Timestamp: at, Value: share,
			})
		}
		if len(usage) > 0 {
			used = append(used, metricsv1beta1.PodMetrics{
				ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Timestamp: at, Window: metav1.Duration{Duration: 15 * time.Second},
				Containers: []metricsv1beta1.ContainerMetrics{{Name: "app", Usage: usage}},
			})
		}
	}
	return used, custom
}

func serves(pod *v1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Conditions[0].Status == v1.ConditionTrue
}
