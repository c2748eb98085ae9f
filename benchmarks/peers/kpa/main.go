// Program kpa answers timelines with Knative's own autoscaler: its windows, its panic, its rounding.
//
// One JSON line in, one line out:
//
//	{"target": 70, "ready": 3, "ticks": [{"second": 0, "value": 210, "ready": 3}, …]}
//	[3, 3, null, …]
//
// "value" is recorded for its second and absent when nothing was scraped; a tick with "decide": true is asked for a
// decision, null means that there is none. Seconds never go back.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/types"

	"knative.dev/serving/pkg/autoscaler/aggregation"
	"knative.dev/serving/pkg/autoscaler/metrics"
	"knative.dev/serving/pkg/autoscaler/scaling"
)

const (
	stable = 60 * time.Second
	panics = 6 * time.Second
)

type tick struct {
	Second int      `json:"second"`
	Value  *float64 `json:"value"`
	Ready  int      `json:"ready"`
	Decide bool     `json:"decide"`
}

type timeline struct {
	Target float64 `json:"target"`
	Ready  int     `json:"ready"`
	Ticks  []tick  `json:"ticks"`
}

// pods counts as it is told.
type pods struct{ ready int }

func (p *pods) ReadyCount() (int, error)    { return p.ready, nil }
func (p *pods) NotReadyCount() (int, error) { return 0, nil }

// client answers from the two windows that a collector keeps.
type client struct {
	stable, panic *aggregation.TimedFloat64Buckets
}

func (c *client) StableAndPanicConcurrency(_ types.NamespacedName, now time.Time) (float64, float64, error) {
	if c.stable.IsEmpty(now) {
		return 0, 0, metrics.ErrNoData
	}
	return c.stable.WindowAverage(now), c.panic.WindowAverage(now), nil
}

func (c *client) StableAndPanicRPS(key types.NamespacedName, now time.Time) (float64, float64, error) {
	return c.StableAndPanicConcurrency(key, now)
}

func answer(line timeline) []*int32 {
	// The autoscaler reads the clock once, when it begins in panic: time starts in the second before.
	begin := time.Now().Truncate(time.Second)
	counted := &pods{line.Ready}
	kept := &client{
		aggregation.NewTimedFloat64Buckets(stable, time.Second),
		aggregation.NewTimedFloat64Buckets(panics, time.Second),
	}
	spec := &scaling.DeciderSpec{
		MaxScaleUpRate:   1000,
		MaxScaleDownRate: 2,
		ScalingMetric:    "concurrency",
		TargetValue:      line.Target,
		TotalValue:       line.Target / 0.7,
		PanicThreshold:   2,
		StableWindow:     stable,
		Reachable:        true,
	}
	scaler := scaling.New(*attribute.EmptySet(), noop.NewMeterProvider(), "shop", "web", kept, counted, spec)
	var out []*int32
	for _, one := range line.Ticks {
		now := begin.Add(time.Duration(one.Second) * time.Second)
		if one.Value != nil {
			kept.stable.Record(now, *one.Value)
			kept.panic.Record(now, *one.Value)
		}
		if !one.Decide {
			continue
		}
		counted.ready = one.Ready
		if result := scaler.Scale(zap.NewNop().Sugar(), now); result.ScaleValid {
			out = append(out, &result.DesiredPodCount)
		} else {
			out = append(out, nil)
		}
	}
	return out
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		var line timeline
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err := json.NewEncoder(out).Encode(answer(line)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
