// Package autoscaling: the two names of metrics that the autoscaler compares with.
package autoscaling

const (
	Concurrency = "concurrency"
	RPS         = "rps"
)
