package main

import (
	"fmt"
	"sort"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	"k8s.io/kubernetes/pkg/features"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
)

var gates = map[string]bool{string(features.HPAConfigurableTolerance): true, string(features.HPAScaleToZero): false}

// setGates gives the feature gates of one line; those that it does not name have their defaults.
func setGates(line map[string]bool) error {
	wanted := map[string]bool{}
	for name, value := range gates {
		wanted[name] = value
	}
	for name, value := range line {
		if _, known := gates[name]; !known {
			return fmt.Errorf("featureGates.%s: there is no such gate here", name)
		}
		wanted[name] = value
	}
	return utilfeature.DefaultMutableFeatureGate.SetFromMap(wanted)
}

func defaulted(hpa *autoscalingv2.HorizontalPodAutoscaler) *autoscalingv2.HorizontalPodAutoscaler {
	hpa = hpa.DeepCopy()
	legacyscheme.Scheme.Default(hpa)
	return hpa
}

// refused lists what the API server has against an HPA, as `field: ErrorType`.
func refused(hpa *autoscalingv2.HorizontalPodAutoscaler) ([]string, error) {
	internal := &autoscaling.HorizontalPodAutoscaler{}
	if err := legacyscheme.Scheme.Convert(hpa, internal, nil); err != nil {
		return nil, err
	}
	ctx := genericapirequest.WithNamespace(genericapirequest.NewContext(), hpa.Namespace)
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{APIGroup: "autoscaling", APIVersion: "v2"})
	horizontalpodautoscaler.Strategy.PrepareForCreate(ctx, internal)
	return told(horizontalpodautoscaler.Strategy.Validate(ctx, internal)), nil
}

// told puts metric sources that are too many into an order, which upstream takes from a map.
func told(problems field.ErrorList) []string {
	var out []string
	for begin := 0; begin < len(problems); {
		end := begin
		for end < len(problems) && problems[end].Type == field.ErrorTypeForbidden {
			end++
		}
		sort.SliceStable(problems[begin:end], func(i, j int) bool {
			return problems[begin+i].Field < problems[begin+j].Field
		})
		for end = max(end, begin+1); begin < end; begin++ {
			out = append(out, fmt.Sprintf("%s: %s", problems[begin].Field, problems[begin].Type))
		}
	}
	return out
}
