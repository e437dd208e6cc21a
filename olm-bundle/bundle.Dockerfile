# The bundle image; the build puts the bundle together in target/classes:
#   mvn -pl olm-bundle -am package && docker build -f olm-bundle/bundle.Dockerfile olm-bundle
FROM scratch
LABEL operators.operatorframework.io.bundle.mediatype.v1=registry+v1
LABEL operators.operatorframework.io.bundle.manifests.v1=manifests/
LABEL operators.operatorframework.io.bundle.metadata.v1=metadata/
LABEL operators.operatorframework.io.bundle.package.v1=migrations-operator
LABEL operators.operatorframework.io.bundle.channels.v1=candidate
LABEL operators.operatorframework.io.bundle.channel.default.v1=candidate
LABEL operators.operatorframework.io.test.config.v1=tests/scorecard/
LABEL operators.operatorframework.io.test.mediatype.v1=scorecard+v1
COPY target/classes/manifests /manifests/
COPY target/classes/metadata /metadata/
COPY target/classes/tests/scorecard /tests/scorecard/
