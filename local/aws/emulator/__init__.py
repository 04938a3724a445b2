"""The process that plays AWS: ministack with authorization, its gaps bridged. Runs in the emulator's environment."""
