"""Voice activity detection, recognition, punctuation and text normalisation, freely combined.

parts    names to loaded parts               speech   a recording cut into stretches of speech
finish   marks and numbers for tokens        files    recordings, their stretches decoded in batches
model    the public class                    stream   live input
"""

from uniasr.pipeline.files import Memory
from uniasr.pipeline.model import Pipeline
from uniasr.pipeline.stream import PipelineStream

__all__ = ["Memory", "Pipeline", "PipelineStream"]
