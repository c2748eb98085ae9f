// Writes the scale of every Deployment that carries the label bench=writes, each with the version that it was listed at, by
// client-go without a rate limit of its own. Prints one line of JSON: what it took, and what was refused.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	autoscaling "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Answer is what is printed. CPU is of this process, user and system.
type Answer struct {
	Written   int64   `json:"written"`
	Conflicts int64   `json:"conflicts"`
	Failed    int64   `json:"failed"`
	Throttled int64   `json:"throttled"`
	Seconds   float64 `json:"seconds"`
	CPU       float64 `json:"cpu"`
}

// counting sees every 429, also those that client-go waits out and asks again.
type counting struct {
	next      http.RoundTripper
	throttled *int64
}

func (c counting) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusTooManyRequests {
		atomic.AddInt64(c.throttled, 1)
	}
	return response, err
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file")
	replicas := flag.Int("replicas", 1, "to write")
	workers := flag.Int("workers", 32, "writes under way")
	flag.Parse()
	answer, err := run(*kubeconfig, int32(*replicas), *workers)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		os.Exit(1)
	}
}

func run(kubeconfig string, replicas int32, workers int) (*Answer, error) {
	answer := &Answer{}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counting{next, &answer.Throttled} })
	client, err := kubernetes.NewForConfig(rest.CopyConfig(config))
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	listed, err := client.AppsV1().Deployments("").List(ctx, meta.ListOptions{LabelSelector: "bench=writes"})
	if err != nil {
		return nil, err
	}
	work := make(chan autoscaling.Scale, len(listed.Items))
	for _, one := range listed.Items {
		scale := autoscaling.Scale{Spec: autoscaling.ScaleSpec{Replicas: replicas}}
		scale.Name, scale.Namespace, scale.ResourceVersion = one.Name, one.Namespace, one.ResourceVersion
		work <- scale
	}
	close(work)
	begun, before := time.Now(), cpu()
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for scale := range work {
				write(ctx, client, &scale, answer)
			}
		})
	}
	all.Wait()
	answer.Seconds, answer.CPU = time.Since(begun).Seconds(), cpu()-before
	return answer, nil
}

func write(ctx context.Context, client kubernetes.Interface, scale *autoscaling.Scale, answer *Answer) {
	deployments := client.AppsV1().Deployments(scale.Namespace)
	_, err := deployments.UpdateScale(ctx, scale.Name, scale, meta.UpdateOptions{})
	switch {
	case err == nil:
		atomic.AddInt64(&answer.Written, 1)
	case errors.IsConflict(err):
		atomic.AddInt64(&answer.Conflicts, 1)
	default:
		atomic.AddInt64(&answer.Failed, 1)
	}
}

func cpu() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}
