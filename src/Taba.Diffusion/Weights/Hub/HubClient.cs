namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// Lists repositories of the hub and brings their files into the cache, whole and checked, sharing it with the hub's own libraries.
/// Several pulls, also of several processes, may run at once: each blob is brought by one of them.
/// </summary>
public sealed class HubClient : IDisposable
{
    readonly HubSettings _settings;
    readonly HubHttp _http;
    readonly HubRetry _retry;

    /// <param name="settings">Where the hub and the cache are.</param>
    /// <param name="handler">
    /// Sends the requests and must not follow redirects; null is one that honours HTTPS_PROXY. Stays the caller's.
    /// </param>
    /// <param name="time">Whose timers make the pauses between attempts; the system's when null.</param>
    /// <param name="retry">How patient it is; the defaults when null.</param>
    public HubClient(HubSettings settings, HttpMessageHandler? handler = null, TimeProvider? time = null, HubRetryOptions? retry = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _retry = new HubRetry(retry ?? new HubRetryOptions(), time ?? TimeProvider.System);
        _http = new HubHttp(handler, settings, settings.Token, _retry.Options.Silence, time ?? TimeProvider.System);
        Cache = new HubCache(settings.CacheFolder);
    }

    /// <summary>The cache into which files go.</summary>
    public HubCache Cache { get; internal init; }

    /// <summary>The files of a repository at a branch, tag or commit.</summary>
    /// <exception cref="HubException">It cannot be had.</exception>
    public async Task<HubListing> ListAsync(HubRepository repository, string revision = "main", CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(repository);
        HubNames.RequireRevision(revision);
        _settings.RequireOnline(repository.ToString(), Path.Combine(Cache.Root, repository.FolderName));
        var subject = new HubSubject($"The repository {repository} at {revision}", repository, IsList: true);
        var uri = new Uri(_settings.Endpoint, $"{repository.ApiPath}/revision/{Uri.EscapeDataString(revision)}?blobs=true");
        var json = await _retry.RunAsync(
            subject.Name,
            async token =>
            {
                using var response = await _http.GetAsync(uri, 0, subject, token);
                return await _http.ReadAsync(response, HubListing.MaxBytes, subject, token);
            },
            static () => 0,
            cancellation);
        return OtherFile.IsWebPage(json) ? throw subject.IsWebPage(_settings.Endpoint) : HubListing.Parse(repository, revision, json);
    }

    /// <summary>Compares what is wanted with what is here. Asks nobody.</summary>
    public HubPull Plan(HubListing listing, IReadOnlyList<HubFile> files)
    {
        ArgumentNullException.ThrowIfNull(listing);
        ArgumentNullException.ThrowIfNull(files);
        // Small files first: a refusal comes before hours of transfer. Equal blobs are one.
        HubFile[] ordered = [.. files.OrderBy(file => file.Size).ThenBy(file => file.Path, StringComparer.Ordinal)];
        var blobs = ordered.DistinctBy(file => file.Blob).ToList();
        return new HubPull(listing, ordered, blobs.Sum(file => file.Size), blobs.Sum(file => BytesHere(listing, file)));
    }

    /// <summary>Asks whether the missing files are given out to this token, before anything is written.</summary>
    /// <exception cref="HubException">They are not.</exception>
    public async Task CheckAccessAsync(HubPull pull, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pull);
        if (pull.Files.LastOrDefault(file => !Cache.Holds(pull.Listing, file)) is not { } file)
            return;
        var subject = Subject(pull.Listing, file);
        using var _ = await _retry.RunAsync(
            subject.Name, token => _http.HeadAsync(FileUri(pull.Listing, file), subject, token), static () => 0, cancellation);
    }

    /// <summary>Brings what is missing. Interrupted, it leaves what has arrived, and the next pull goes on from there.</summary>
    /// <returns>The folder of the snapshot.</returns>
    /// <exception cref="HubException">A file cannot be had.</exception>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public async Task<string> PullAsync(HubPull pull, IProgress<HubProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pull);
        _settings.RequireOnline(
            pull.Listing.Repository.ToString(), Path.Combine(Cache.Root, pull.Listing.Repository.FolderName));
        var done = 0L;
        var counted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in pull.Files)
        {
            var before = done;
            await BringAsync(
                pull.Listing, file, here => progress?.Report(new HubProgress(file.Path, here, file.Size, before + here, pull.TotalBytes)),
                cancellation);
            if (counted.Add(file.Blob))
                done += file.Size;
        }

        Cache.WriteRef(pull.Listing);
        return Cache.SnapshotPath(pull.Listing.Repository, pull.Listing.Commit);
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _http.Dispose();

    async Task BringAsync(HubListing listing, HubFile file, Action<long> report, CancellationToken cancellation)
    {
        if (Cache.Holds(listing, file))
        {
            Cache.Show(listing, file, mayMove: false);
            return;
        }

        var repository = listing.Repository;
        using var held = await FileLock.AcquireAsync(
            Cache.LockPath(repository, file.Blob),
            () => _retry.Options.Notice?.Invoke($"{file.Path} is being downloaded by another process; waiting for it."), cancellation);
        var isNew = !Cache.Holds(listing, file); // else whoever held the lock has brought it
        if (isNew)
        {
            var blob = Cache.BlobPath(repository, file.Blob);
            using var digest = ContentDigest.OfBlob(file);
            var download = new ResumableDownload(
                Subject(listing, file), FileUri(listing, file), IncompletePath(blob), file.Size, digest);
            await download.RunAsync(_http, _retry, report, cancellation);
            File.Move(IncompletePath(blob), blob, overwrite: true);
        }

        Cache.Show(listing, file, mayMove: isNew);
    }

    long BytesHere(HubListing listing, HubFile file)
    {
        if (Cache.Holds(listing, file))
            return file.Size;
        return new FileInfo(IncompletePath(Cache.BlobPath(listing.Repository, file.Blob))) is { Exists: true } begun
            ? Math.Min(begun.Length, file.Size)
            : 0;
    }

    Uri FileUri(HubListing listing, HubFile file) => new(
        _settings.Endpoint,
        $"{listing.Repository.FilesPath}/resolve/{listing.Commit}/{string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString))}");

    static string IncompletePath(string blob) => blob + ".incomplete";

    static HubSubject Subject(HubListing listing, HubFile file) => new($"{file.Path} of {listing.Repository}", listing.Repository);
}
