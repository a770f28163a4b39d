"""From folders of recordings and transcripts to training batches.

manifest   utterances of a folder in the published form     layouts    and in those of public corpora
check      everything that is wrong with them, at once       labels     transcripts as token ids, unknown characters
clips      audio to feature rows when they are needed        waveform   spoiling audio on purpose
feeds      what the loop reads: a list or packed shards      shards     tar files with an index beside them
features   feature stores, computed once
"""
