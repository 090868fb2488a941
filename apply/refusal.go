package apply

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// remedy is what follows from a write that failed.
type remedy int

const (
	tryAgain  remedy = iota // with back-off: nothing is wrong with the write
	planAgain               // the object is not the one the plan was made for
	trySlowly               // refused by rules that can change by themselves
	giveUp                  // refused for good, until the plan or the object changes
)

// Words by which the API server says who refused a request. There is no code
// for it: a webhook chooses its own, a policy too (k8s.io/apiserver, 1.37).
const (
	byRBAC = "cannot patch resource"
	// kkp is in the names of KKP's own webhooks.
	kkp = "kubermatic"
)

var (
	byWebhook = regexp.MustCompile(`(?s)admission webhook "([^"]+)" denied the request: (.*)`)
	byPolicy  = regexp.MustCompile(`(?s)ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request: (.*)`)
)

// judge tells what an error of the API server means for the cluster. After is
// how long the server asked to wait, zero if it did not. The words never hold
// values of the object: they are shown to people and written to logs.
func judge(err error) (what remedy, words string, after time.Duration) {
	if denied := denial(err.Error()); denied != "" && !apierrors.IsInternalError(err) {
		return trySlowly, denied, 0
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err), ofAnotherUID(err):
		return planAgain, "changed under the plan: planning again", 0
	case apierrors.IsForbidden(err):
		return trySlowly, forbidden(err), 0
	case staleTest(err):
		return tryAgain, "the Cluster changed meanwhile", 0
	case final(err):
		return giveUp, "the API server refused the list: " + causes(err), 0
	}
	seconds, _ := apierrors.SuggestsClientDelay(err)
	return tryAgain, plainly(err), time.Duration(seconds) * time.Second
}

// denial is who refused a write, in whose words; empty where nobody did. A seed
// has other webhooks and policies than KKP's, ours among them.
func denial(text string) string {
	if by := byPolicy.FindStringSubmatch(text); by != nil {
		return clip("the admission policy "+by[1]+" refused the write: "+by[2], maxMessage)
	}
	by := byWebhook.FindStringSubmatch(text)
	switch {
	case by == nil:
		return ""
	case strings.Contains(by[1], kkp):
		return clip("KKP refused the cluster: "+by[2], maxMessage)
	}
	return clip("the admission webhook "+by[1]+" refused the cluster: "+by[2], maxMessage)
}

func forbidden(err error) string {
	if strings.Contains(err.Error(), byRBAC) {
		return "portcullis may not patch clusters.kubermatic.k8c.io: grant its account that right (its role, or the chart's)"
	}
	return "the API server refused the write: " + plainly(err)
}

// ofAnotherUID recognises the 422 for a body whose UID is not the object's.
func ofAnotherUID(err error) bool {
	return apierrors.IsInvalid(err) && apierrors.HasStatusCause(err, metav1.CauseTypeFieldValueInvalid) &&
		strings.Contains(causes(err), "metadata.uid")
}

// staleTest recognises a JSON patch whose test of UID or resourceVersion
// failed: a 422 that names no field, unlike those for what an object holds.
func staleTest(err error) bool {
	return apierrors.IsInvalid(err) && len(details(err)) == 0
}

// final are the answers that the same request will always get.
func final(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status().Code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusMethodNotAllowed,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return true
	}
	return false
}

func details(err error) []metav1.StatusCause {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	return status.Status().Details.Causes
}

// causes says which fields were refused and why. The value that stands between
// the two in the server's message is left out: it may be the whole object.
func causes(err error) string {
	var out []string
	for _, cause := range details(err) {
		why := cause.Message[strings.LastIndex(cause.Message, ": ")+1:]
		out = append(out, cause.Field+": "+strings.TrimSpace(why))
	}
	if len(out) == 0 {
		return plainly(err)
	}
	return strings.Join(out, "; ")
}

// plainly is an error without what may follow its first 200 bytes.
func plainly(err error) string { return clip(err.Error(), 200) }
