// What others write in a page of Go: reads an AdmissionReview, and answers with the same patch for each pod of the shop, which is in the file
// that its second argument names. Serves TLS with tls.crt and tls.key of the directory that is its first, on a free port that it prints.
// AdmissionIT measures our injector beside it.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

type review struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Request    *request  `json:"request,omitempty"`
	Response   *response `json:"response,omitempty"`
}

type request struct {
	UID    string `json:"uid"`
	Object struct {
		Metadata struct {
			Labels map[string]string `json:"labels"`
		} `json:"metadata"`
		Spec map[string]any `json:"spec"`
	} `json:"object"`
}

type response struct {
	UID       string `json:"uid"`
	Allowed   bool   `json:"allowed"`
	Patch     []byte `json:"patch,omitempty"`
	PatchType string `json:"patchType,omitempty"`
}

var patch []byte

func mutate(w http.ResponseWriter, r *http.Request) {
	var asked review
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Request == nil {
		http.Error(w, "not an AdmissionReview", http.StatusBadRequest)
		return
	}
	answer := &response{UID: asked.Request.UID, Allowed: true}
	if _, waits := asked.Request.Object.Spec["initContainers"]; !waits && asked.Request.Object.Metadata.Labels["app"] == "shop" {
		answer.Patch, answer.PatchType = patch, "JSONPatch"
	}
	body, err := json.Marshal(review{APIVersion: asked.APIVersion, Kind: asked.Kind, Response: answer})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if _, err := w.Write(body); err != nil {
		log.Print(err)
	}
}

func main() {
	var err error
	if patch, err = os.ReadFile(os.Args[2]); err != nil {
		log.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(os.Args[1], "tls.crt"), filepath.Join(os.Args[1], "tls.key"))
	if err != nil {
		log.Fatal(err)
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(socket.Addr().(*net.TCPAddr).Port)
	http.HandleFunc("POST /mutate", mutate)
	server := &http.Server{TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}}
	log.Fatal(server.ServeTLS(socket, "", ""))
}
