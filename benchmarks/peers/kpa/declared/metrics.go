// Package metrics: what the autoscaler asks for averages.
package metrics

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

var ErrNoData = errors.New("no data available")

type MetricClient interface {
	StableAndPanicConcurrency(key types.NamespacedName, now time.Time) (float64, float64, error)
	StableAndPanicRPS(key types.NamespacedName, now time.Time) (float64, float64, error)
}
